-- events.window_facets: return the blocks of time that cover a window, as facets: at most four.
--
-- Null for an open window. An infinite time has no block, so the end is tested in `case`, which keeps its order.
--
-- Internal: runs with the rights of the routine that calls it.

create or replace function events.window_facets(starts_from timestamptz, starts_before timestamptz)
returns tsquery
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select string_agg(events.quoted_lexeme(events.facet(w.bits::text, n.block::text)), '|')::tsquery
    from (
        select b.bits
        from generate_series(12, 26, 2) as b (bits)
        where
            case
                when isfinite(starts_before)
                    then events.time_block(starts_before, b.bits) - events.time_block(starts_from, b.bits) < 4
            end
        order by b.bits
        limit 1
    ) as w
    cross join lateral generate_series(
        events.time_block(starts_from, w.bits), events.time_block(starts_before, w.bits)
    ) as n (block);
$$;

comment on function events.window_facets(timestamptz, timestamptz) is
'Return the blocks of time that cover a window, as facets.';
