-- events.rank_few_listings: return all matches of words and facets with their ranks, if they are few; null otherwise.
--
-- Spares a rare search the way through all ranks and blocks of time. The order is that of the pages. `most` is the
-- greatest number of rows that are few.
--
-- Internal: runs with the rights of the routine that calls it.

create or replace function events.rank_few_listings(whole tsquery, prefixed tsquery, facets tsquery, most integer)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $$
declare
    matched bigint;
    found jsonb;
begin
    -- Whole words first: a frequent word costs less than a frequent prefix.
    execute format(
        'select count(*) from (select from events.listings as l where l.words @@ $1 %s limit $3) as m',
        case when facets is not null then 'and l.facets @@ $2' end
    )
    into matched
    using whole, facets, most + 1;
    if matched > most then
        return null;
    end if;

    execute format(
        $query$
        select
            case
                when count(*) <= $4 then coalesce(
                    jsonb_agg(
                        jsonb_build_object('event_id', m.event_id, 'rank', m.rank, 'starts_at', m.starts_at)
                        order by m.rank, m.starts_at, m.event_id
                    ), '[]'
                )
            end
        from (
            select
                l.event_id,
                l.starts_at,
                case
                    when l.title_words @@ $1 then 1
                    when l.title_words @@ $2 then 2
                    when l.name_words @@ $1 then 3
                    when l.name_words @@ $2 then 4
                    when l.words @@ $1 then 5
                    else 6
                end as rank
            from events.listings as l
            where l.words @@ $2 %s
            limit $4 + 1
        ) as m
        $query$,
        case when facets is not null then 'and l.facets @@ $3' end
    )
    into found
    using whole, prefixed, facets, most;
    return found;
end;
$$;

comment on function events.rank_few_listings(tsquery, tsquery, tsquery, integer) is
'Return all matches of words and facets with their ranks, if they are few; null otherwise.';
