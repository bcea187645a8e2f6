-- events.search_terms: return a search text as queries: with whole words, and with the last word as a prefix.
--
-- Each word stands for itself and for its stems by the rules of every language, so words of several languages can be
-- mixed. An umlaut stands for one letter and for two, and two letters for an umlaut: Zürich and Zuerich are zurich or
-- zuerich. A word that ends in such letters is a prefix as it is written only: blu is no prefix for blue. A joined word
-- such as Tai-Chi is two words, and after a minus a phrase. A word that any language ignores, such as "the" or "für",
-- is dropped, unless it is alone or `or` is there. An excluded word or a phrase is never a prefix. Both are null if the
-- text contains nothing to search for.

create or replace function events.search_terms(q text, out whole tsquery, out prefixed tsquery)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
declare
    parts text[] := array(
        select w.word
        from regexp_matches(q, '-*"[^"]*"?|[^\s"]+', 'g') with ordinality as m (part, place)
        cross join regexp_split_to_table(
            case when m.part[1] ~ '^-|"' then m.part[1] else events.words_apart(m.part[1]) end,
            case when m.part[1] ~ '^-|"' then '$' else '\s+' end
        ) with ordinality as w (word, place)
        where w.word <> '' and (w.word = m.part[1] or lower(w.word) <> 'or')
        order by m.place, w.place
    );
    kept text[];
    apart text;
    plain text;
    last_word text;
    word text;
    forms text[];
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
    select
        websearch_to_tsquery(
            'simple',
            string_agg(
                case
                    when p.part !~ '^-|"' then events.folded(p.part)
                    else case when p.part ~ '^-' then '-' else '' end
                        || '"' || events.folded(events.words_apart(p.part)) || '"'
                end,
                ' ' order by p.place
            )
        )
    into whole
    from unnest(parts) with ordinality as p (part, place)
    where p.part !~ '^-|"' or to_tsvector('simple', events.folded(events.words_apart(p.part))) <> '';
    if whole is null or numnode(whole) = 0 then
        whole := null;
        return;
    end if;

    last_word := events.folded(parts[cardinality(parts)]);
    if last_word !~ '^[[:alnum:]][[:alnum:]]+$' or cardinality(tsvector_to_array(to_tsvector('simple', last_word))) <> 1
    then
        last_word := null;
    end if;

    prefixed := whole;
    apart := events.words_apart(array_to_string(parts, ' '));
    plain := events.folded(apart);
    for word, forms in
        select p.lexeme, array_agg(distinct s.lexeme)
        from unnest(to_tsvector('simple', plain)) as p
        inner join (
            select s.lexeme, s.positions
            from unnest(to_tsvector('simple', events.folded(events.umlauts_spelled(apart)))) as s
            union all
            select s.lexeme, s.positions
            from unnest(to_tsvector('simple', events.umlauts_joined(plain))) as s
        ) as s on p.positions && s.positions
        group by p.lexeme
    loop
        forms := array(select distinct f.form from unnest(forms || word) as f (form));
        stems := array(
            select s.stems[1]
            from unnest(forms) as f (form)
            cross join ref.languages as l
            cross join lateral (select tsvector_to_array(to_tsvector(l.search_config, f.form)) as stems) as s
            where cardinality(s.stems) = 1
            except
            select f.form from unnest(forms) as f (form)
        );
        whole := ts_rewrite(
            whole,
            events.quoted_lexeme(word)::tsquery,
            (select string_agg(events.quoted_lexeme(f.form), '|') from unnest(forms || stems) as f (form))::tsquery
        );
        prefixed := ts_rewrite(
            prefixed,
            events.quoted_lexeme(word)::tsquery,
            (
                select
                    string_agg(
                        events.quoted_lexeme(f.form)
                        || case
                            when word is distinct from last_word or f.form <> all (forms) then ''
                            when word ~ '[aou]e$' and f.form <> word and f.form = events.umlauts_joined(word) then ''
                            else ':*'
                        end,
                        '|'
                    )
                from unnest(forms || stems) as f (form)
            )::tsquery
        );
    end loop;
end;
$$;

comment on function events.search_terms(text) is
'Return a search text as queries: with whole words, and with the last word as a prefix.';
