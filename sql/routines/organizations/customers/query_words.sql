-- organizations.query_words: return the prefixes that a search for customers looks for, at most six.
--
-- A text of digits and signs of a phone number is one number. Otherwise spaces separate an address, a number, or words.

create or replace function organizations.query_words(q text)
returns text[]
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
    return array(
        select distinct left(w.word, 60) collate "C" as word
        from regexp_split_to_table(
            query_words.q, case when query_words.q ~ '^[+0-9 ()./-]+$' then '$' else '\s+' end
        ) as p (part)
        cross join lateral unnest(
            case
                when p.part ~ '^[+0-9 ()./-]+$' then array[organizations.phone_digits(p.part)]
                when strpos(p.part, '@') > 1 then array[lower(p.part)]
                else organizations.search_words(p.part)
            end
        ) as w (word)
        where w.word <> ''
        order by word
        limit 6
    );
end;
$$;

comment on function organizations.query_words(text) is
'Return the prefixes that a search for customers looks for, at most six.';
