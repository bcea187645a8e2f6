-- events.text_words: return the words of a text for search: folded, as written and stemmed by its language.
--
-- A word as written serves prefixes and names. German umlauts are also kept as two letters, and two letters as one:
-- Zürich is zurich and zuerich, and so is Zuerich. All forms of a word have its position, so a phrase finds only
-- neighbours. Positions start at 2: no phrase reaches from one text into the next when they are joined by ||.

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
    joined text := events.umlauts_joined(plain);
    words text := concat_ws(' ', to_tsvector('simple', plain), to_tsvector(config, plain));
begin
    if spelled <> plain then
        words := concat_ws(' ', words, to_tsvector('simple', spelled), to_tsvector(config, spelled));
    end if;
    if joined <> plain then
        words := concat_ws(' ', words, to_tsvector('simple', joined), to_tsvector(config, joined));
    end if;
    -- Reading a vector from text unites the positions of equal words.
    return ts_delete(gap || words::tsvector, '.');
end;
$$;

comment on function events.text_words(regconfig, text) is 'Return the words of a text for search.';
