-- events.frequent_prefixes: return the ranks of prefixes that at least a tenth of a sample of the listings fits.
--
-- The sample has the facets, and starts in one block of about twelve days, or at any time if that block has no row. It
-- costs less than to collect all rows of a frequent prefix from the index. Null if there is no row with the facets. See
-- events.match_listings for `among_scarce` and for the plan.
--
-- Internal: runs with the rights of the routine that calls it.

create or replace function events.frequent_prefixes(
    prefixed tsquery, facets tsquery, among_scarce boolean, starts_from timestamptz
)
returns integer[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
    sample_rows constant integer := 60;
    bits constant integer := 20;
    block constant tsquery := events.quoted_lexeme(
        events.facet(bits::text, events.time_block(frequent_prefixes.starts_from, bits)::text)
    )::tsquery;
    asked tsquery := coalesce(frequent_prefixes.facets && block, block);
    in_titles constant tsquery := events.tagged_query('t', prefixed);
    in_names constant tsquery := events.tagged_query('n', prefixed);
    frequent integer[];
    rows_read bigint;
begin
    loop
        select
            count(*),
            array_remove(
                array[
                    case when count(*) filter (where m.lexemes @@ in_titles) * 10 >= count(*) then 2 end,
                    case when count(*) filter (where m.lexemes @@ in_names) * 10 >= count(*) then 4 end,
                    case when count(*) filter (where m.lexemes @@ prefixed) * 10 >= count(*) then 6 end
                ],
                null
            )
        into rows_read, frequent
        from (
            (
                select l.lexemes
                from events.listings as l
                where not frequent_prefixes.among_scarce and l.lexemes @@ asked
            )
            union all
            (
                select s.lexemes
                from events.scarce_listings as s
                where frequent_prefixes.among_scarce and s.lexemes @@ asked
            )
            limit sample_rows
        ) as m;
        exit when rows_read > 0 or facets is null;
        if asked = facets then
            return null;
        end if;
        asked := facets;
    end loop;
    return frequent;
end;
$$;

comment on function events.frequent_prefixes(tsquery, tsquery, boolean, timestamptz) is
'Return the ranks of prefixes that at least a tenth of a sample of the listings fits.';
