-- organizations.search_words: return the words of a text in lower case without accents, each once, sorted.
--
-- Signs separate words: Anna-Maria is anna and maria. A word has at most 60 characters.

create or replace function organizations.search_words(value text)
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
            events.folded(translate(events.words_apart(search_words.value), ',;!?()[]{}<>&"#%=|', repeat(' ', 18))),
            '\s+'
        ) as w (word)
        where w.word <> ''
        order by word
    );
end;
$$;

comment on function organizations.search_words(text) is
'Return the words of a text in lower case without accents, each once, sorted.';
