-- events.misaligned_events: return coming events that do not start at their local start, by the rules of the server.
--
-- At most `most`, by start. The first condition is cheap: it leaves only events of a changed zone, and those at a
-- skipped local time. Internal.

create or replace function events.misaligned_events(most integer)
returns table (event_id uuid, starts_at timestamptz, next_start timestamptz)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    with differing as materialized (
        select e.id, e.starts_at, e.time_zone, l.local_start
        from events.events as e
        left join events.occurrences as o on o.event_id = e.id and not e.detached
        cross join lateral (select coalesce(o.local_start, e.local_start) as local_start) as l
        where
            e.starts_at > statement_timestamp()
            and e.status in ('draft', 'scheduled')
            and e.starts_at at time zone e.time_zone <> l.local_start
    )

    select d.id, d.starts_at, n.next_start
    from differing as d
    cross join lateral (select ops.local_instant(d.local_start, d.time_zone) as next_start) as n
    where n.next_start <> d.starts_at and n.next_start > statement_timestamp()
    order by d.starts_at, d.id
    limit misaligned_events.most;
$$;

comment on function events.misaligned_events(integer) is
'Return coming events that do not start at their local start, by the rules of the server.';
