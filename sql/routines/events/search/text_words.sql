-- events.text_words: return the words of a text for search: folded, as written and stemmed by its language.
--
-- A word as written serves prefixes and names. German umlauts are also kept as two letters: Zürich is zurich and
-- zuerich. All forms of a word have its position, so a phrase finds only neighbours. Positions start at 2: no phrase
-- reaches from one text into the next when they are joined by ||.

create or replace function events.text_words(config regconfig, value text)
returns tsvector
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
    gap constant tsvector := '''.'':1';
    apart text := events.words_apart(coalesce(text_words.value, ''));
    plain text := events.folded(apart);
    spelled text := events.folded(events.umlauts_spelled(apart));
    words text := concat_ws(' ', to_tsvector('simple', plain), to_tsvector(config, plain));
begin
    if spelled <> plain then
        words := concat_ws(' ', words, to_tsvector('simple', spelled), to_tsvector(config, spelled));
    end if;
    -- Reading a vector from text unites the positions of equal words.
    return ts_delete(gap || words::tsvector, '.');
end;
$$;

comment on function events.text_words(regconfig, text) is 'Return the words of a text for search.';
