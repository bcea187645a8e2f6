-- events.search_terms: return a search text as queries: with whole words, and with the last word as a prefix.
--
-- Each word stands for itself and for its stems by the rules of every language, so words of several languages can be
-- mixed. A word that any language ignores, such as "the" or "für", is dropped, unless it is alone or `or` is there.
-- An excluded word or a phrase is never a prefix. Both are null if the text contains nothing to search for.

create or replace function events.search_terms(q text, out whole tsquery, out prefixed tsquery)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    parts text[] := array(select m.part[1] from regexp_matches(q, '-?"[^"]*"?|[^\s"]+', 'g') as m (part));
    kept text[];
    last_word text;
    folded_text text;
    word text;
    quoted text;
    stems text[];
begin
    if not parts && array['or', 'OR', 'Or'] then
        kept := array(
            select p.part
            from unnest(parts) with ordinality as p (part, place)
            where
                p.part ~ '^-|"'
                or to_tsvector('simple', p.part) = ''
                or not exists (
                    select from ref.languages as l where to_tsvector(l.search_config, p.part) = ''
                )
            order by p.place
        );
        if exists (select from unnest(kept) as k (part) where k.part !~ '^-') then
            parts := kept;
        end if;
    end if;
    folded_text := events.folded(normalize(array_to_string(parts, ' '), nfc));
    whole := websearch_to_tsquery('simple', folded_text);
    if numnode(whole) = 0 then
        whole := null;
        return;
    end if;

    last_word := events.folded(normalize(parts[cardinality(parts)], nfc));
    if last_word !~ '^[[:alnum:]][[:alnum:]]+$' or cardinality(tsvector_to_array(to_tsvector('simple', last_word))) <> 1
    then
        last_word := null;
    end if;

    prefixed := whole;
    foreach word in array tsvector_to_array(to_tsvector('simple', folded_text)) loop
        quoted := events.quoted_lexeme(word);
        stems := array(
            select distinct events.quoted_lexeme(s.stems[1])
            from ref.languages as l
            cross join lateral (select tsvector_to_array(to_tsvector(l.search_config, word)) as stems) as s
            where cardinality(s.stems) = 1 and s.stems[1] <> word
        );
        whole := ts_rewrite(whole, quoted::tsquery, array_to_string(quoted || stems, '|')::tsquery);
        if word = last_word then
            quoted := quoted || ':*';
        end if;
        prefixed := ts_rewrite(
            prefixed, events.quoted_lexeme(word)::tsquery, array_to_string(quoted || stems, '|')::tsquery
        );
    end loop;
end;
$$;

comment on function events.search_terms(text) is
'Return a search text as queries: with whole words, and with the last word as a prefix.';
