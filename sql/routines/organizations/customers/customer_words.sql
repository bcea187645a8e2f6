-- organizations.customer_words: return the words by which a customer is found, each once, sorted.
--
-- They are the words of the name, the whole e-mail address, and the words before its @. A phone number has two: its
-- digits without leading zeros, and its last nine digits, which are the same without the country's code. A tag has # in
-- front, which no other word contains.

create or replace function organizations.customer_words(name text, address text, phone text, tags text[])
returns text[]
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
    return array(
        select distinct w.word collate "C" as word
        from (
            select n.word from unnest(organizations.search_words(customer_words.name)) as n (word)
            union all
            select left(lower(customer_words.address), 100)
            union all
            select a.word
            from unnest(organizations.search_words(split_part(customer_words.address, '@', 1))) as a (word)
            union all
            select unnest(array[d.digits, right(d.digits, 9)])
            from (select organizations.phone_digits(customer_words.phone) as digits) as d
            union all
            select '#' || t.tag from unnest(customer_words.tags) as t (tag)
        ) as w
        where w.word <> ''
        order by word
    );
end;
$$;

comment on function organizations.customer_words(text, text, text, text[]) is
'Return the words by which a customer is found, each once, sorted.';
