-- events.tagged_words: return words of a text for search with a tag before each, such as t:yoga for a word of a title.
--
-- Words contain no colon (events.words_apart), so a tagged word equals no word. A prefix has two letters, so it is no
-- tag.

create or replace function events.tagged_words(tag text, words tsvector)
returns tsvector
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
    select
        coalesce(
            string_agg(
                events.quoted_lexeme(tag || ':' || w.lexeme) || ':' || array_to_string(w.positions, ','), ' '
            ), ''
        )::tsvector
    from unnest(words) as w;
$$;

comment on function events.tagged_words(text, tsvector) is
'Return words of a text for search with a tag before each.';
