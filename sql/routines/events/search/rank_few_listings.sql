-- events.rank_few_listings: return all matches of words and facets with their ranks, if they are few; null otherwise.
--
-- Spares a rare search the way through the ranks up to `rank_most`, 4 or 6, each of which would intersect the same
-- words and facets. The order is that of the pages. `most` is the greatest number of rows that are few. See
-- events.match_listings for `among_scarce` and for the plan.
--
-- Internal: runs with the rights of the routine that calls it.

create or replace function events.rank_few_listings(
    whole tsquery,
    prefixed tsquery,
    everywhere tsquery,
    facets tsquery,
    among_scarce boolean,
    rank_most integer,
    most integer
)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
    words constant tsquery := case
        when rank_most = 6 then prefixed
        when everywhere is null then events.tagged_query('n', prefixed)
        else events.tagged_query('n', prefixed) && everywhere
    end;
    asked constant tsquery := coalesce(rank_few_listings.facets && words, words);
    places constant tsquery[] := array[
        events.tagged_query('t', whole), events.tagged_query('t', prefixed),
        events.tagged_query('n', whole), events.tagged_query('n', prefixed), whole
    ];
    found jsonb;
begin
    with matched as materialized (
        (
            select l.event_id, l.starts_at, l.lexemes
            from events.listings as l
            where not rank_few_listings.among_scarce and l.lexemes @@ asked
        )
        union all
        (
            select s.event_id, s.starts_at, s.lexemes
            from events.scarce_listings as s
            where rank_few_listings.among_scarce and s.lexemes @@ asked
        )
        limit most + 1
    )
    select
        coalesce(
            jsonb_agg(
                jsonb_build_object('event_id', r.event_id, 'rank', r.rank, 'starts_at', r.starts_at)
                order by r.rank, r.starts_at, r.event_id
            ), '[]'
        )
    into found
    from (
        select
            m.event_id,
            m.starts_at,
            case
                when m.lexemes @@ places[1] then 1
                when m.lexemes @@ places[2] then 2
                when m.lexemes @@ places[3] then 3
                when m.lexemes @@ places[4] then 4
                when m.lexemes @@ places[5] then 5
                else 6
            end as rank
        from matched as m
        where (select count(*) from matched) <= most
    ) as r
    having (select count(*) from matched) <= most;
    return found;
end;
$$;

comment on function events.rank_few_listings(tsquery, tsquery, tsquery, tsquery, boolean, integer, integer) is
'Return all matches of words and facets with their ranks, if they are few; null otherwise.';
