-- events.notify_series_change: notify customers and instructors of an edited series about its changed events.
--
-- The lists have the values of each event before the edit; cancelled and deleted events are skipped. Called once for
-- each edit, after all its changes, so that each message describes the result.

create or replace function events.notify_series_change(
    event_ids uuid[], starts timestamptz[], ends timestamptz[], places uuid[], instructors uuid[]
)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    with differing as materialized (
        select
            b.event_id,
            b.starts_at,
            b.instructor_id as previous_id,
            e.instructor_id as next_id,
            array_remove(
                array[
                    case when (e.starts_at, e.ends_at) is distinct from (b.starts_at, b.ends_at) then 'starts_at' end,
                    case when (e.starts_at, e.ends_at) is distinct from (b.starts_at, b.ends_at) then 'ends_at' end,
                    case when e.location_id is distinct from b.location_id then 'location_id' end,
                    case when e.instructor_id is distinct from b.instructor_id then 'instructor_id' end
                ],
                null
            ) as changed
        from unnest(
            notify_series_change.event_ids, notify_series_change.starts, notify_series_change.ends,
            notify_series_change.places, notify_series_change.instructors
        ) as b (event_id, starts_at, ends_at, location_id, instructor_id)
        inner join events.terms as t on t.event_id = b.event_id
        inner join events.events as e on e.id = t.event_id and e.starts_at = t.starts_at
        where e.status in ('draft', 'scheduled')
    ),
    told as (
        select
            events.notify_event_change(
                array_agg(d.event_id order by d.event_id), array_agg(d.starts_at order by d.event_id), d.changed
            )
        from differing as d
        where d.changed <> '{}'
        group by d.changed
    ),
    substituted as (
        select
            events.notify_substitution(
                array_agg(d.event_id order by d.event_id), array_agg(d.previous_id order by d.event_id),
                array_agg(d.next_id order by d.event_id)
            )
        from differing as d
        having count(*) > 0
    )
    select (select count(*) from told), (select count(*) from substituted);
$$;

comment on function events.notify_series_change(uuid[], timestamptz[], timestamptz[], uuid[], uuid[]) is
'Notify customers and instructors of an edited series about its changed events.';
