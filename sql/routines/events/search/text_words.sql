-- events.text_words: return the words of a text for search: folded, as written and stemmed by its language.
--
-- A word as written serves prefixes and names. German umlauts are also kept as two letters: Zürich is zurich and
-- zuerich.

create or replace function events.text_words(config regconfig, value text)
returns tsvector
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
    composed text := normalize(text_words.value, nfc);
    plain text := events.folded(composed);
    spelled text;
begin
    if composed !~ '[äöüÄÖÜ]' then
        return to_tsvector('simple', plain) || to_tsvector(config, plain);
    end if;
    spelled := events.folded(
        replace(replace(replace(replace(replace(replace(
            composed, 'ä', 'ae'), 'ö', 'oe'), 'ü', 'ue'), 'Ä', 'Ae'), 'Ö', 'Oe'), 'Ü', 'Ue')
    );
    return to_tsvector('simple', plain) || to_tsvector(config, plain)
        || to_tsvector('simple', spelled) || to_tsvector(config, spelled);
end;
$$;

comment on function events.text_words(regconfig, text) is 'Return the words of a text for search.';
