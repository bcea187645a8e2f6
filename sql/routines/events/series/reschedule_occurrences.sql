-- events.reschedule_occurrences: move, create, delete or cancel a series' upcoming events to match its changed rule.
--
-- `occurrences` has all occurrences of the new rule from the series' local today up to and including `until`. `slots`
-- has each existing event of these days: its new local start, or its place in the day if the new rule has no time for
-- it (events.series_slots). An event whose new local start is an occurrence moves there with its bookings. Any other is
-- deleted if unused, and cancelled otherwise (events.drop_events). New occurrences get events.
--
-- Without `slots`, because the former rule cannot be computed any more, each event takes the occurrence at the same
-- local time, or else one on the same local day.
--
-- An event that has started, was cancelled or was edited individually stays unchanged. Its slot still gets the new
-- time, so that the event is not generated again, or is remembered without one (events.lost_occurrences). Called by
-- events.edit_series, which holds the series' lock and notifies.
--
-- Refuses: 409 double_booked, 409 place_closed.

create or replace function events.reschedule_occurrences(
    series_id uuid, occurrences jsonb, until date, slots jsonb default null
)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_series events.series;
    local_today date;
    planned jsonb := reschedule_occurrences.slots;
    dropped uuid[];
    moved uuid[];
    previous_starts timestamptz[];
    next_starts timestamptz[];
begin
    select s.* into the_series from events.series as s where s.id = reschedule_occurrences.series_id;
    local_today := (statement_timestamp() at time zone the_series.time_zone)::date;

    -- Lock before deciding which events move: while this waits, an event may be edited individually or cancelled.
    perform
    from events.inventory as i
    where
        i.event_id in (
            select o.event_id
            from events.occurrences as o
            where o.series_id = the_series.id and o.local_start >= local_today
        )
    order by i.event_id
    for no key update;

    if planned is null then
        with existing as (
            select o.event_id, o.local_start
            from events.occurrences as o
            where o.series_id = the_series.id and o.local_start >= local_today
        ),
        wanted as (
            select w.local_start
            from jsonb_to_recordset(reschedule_occurrences.occurrences) as w (local_start timestamp)
        ),
        existing_left as (
            select
                e.event_id, e.local_start,
                row_number() over (partition by e.local_start::date order by e.local_start) as number
            from existing as e
            where e.local_start not in (select w.local_start from wanted as w)
        ),
        wanted_left as (
            select
                w.local_start,
                row_number() over (partition by w.local_start::date order by w.local_start) as number
            from wanted as w
            where w.local_start not in (select e.local_start from existing as e)
        )
        select
            jsonb_agg(
                jsonb_build_object('event_id', e.event_id, 'local_start', coalesce(w.local_start, e.local_start))
            ) into planned
        from existing as e
        left join existing_left as l on l.event_id = e.event_id
        left join wanted_left as w
            on w.local_start::date = l.local_start::date and w.number = l.number;
    end if;

    select array_agg(p.event_id) into dropped
    from jsonb_to_recordset(coalesce(planned, '[]')) as p (event_id uuid, local_start timestamp, place integer)
    inner join events.occurrences as o on o.event_id = p.event_id and o.series_id = the_series.id
    inner join events.terms as t on t.event_id = p.event_id
    inner join events.events as e on e.id = t.event_id and e.starts_at = t.starts_at
    where
        (
            p.place is not null
            or p.local_start not in (
                select w.local_start
                from jsonb_to_recordset(reschedule_occurrences.occurrences) as w (local_start timestamp)
            )
        )
        and not e.detached
        and e.status in ('draft', 'scheduled')
        and e.starts_at > statement_timestamp();

    -- Delete all before inserting any: two occurrences of a day may swap places, which would violate the unique key.
    -- The occurrence of a dropped event is not inserted again: if its time returns, a new event takes its place.
    with kept as (
        select p.event_id, p.local_start, p.place
        from jsonb_to_recordset(coalesce(planned, '[]')) as p (event_id uuid, local_start timestamp, place integer)
    ),
    lost as (
        delete from events.lost_occurrences as l
        using kept as k
        where l.event_id = k.event_id and l.series_id = the_series.id
        returning l.event_id
    ),
    listed as (
        delete from events.occurrences as o
        using kept as k
        where o.event_id = k.event_id and o.series_id = the_series.id
        returning o.event_id
    )
    select
        jsonb_agg(to_jsonb(k)) into planned
    from kept as k
    where k.event_id in (select l.event_id from lost as l union all select l.event_id from listed as l);

    insert into events.occurrences (series_id, local_start, event_id)
    select the_series.id, p.local_start, p.event_id
    from jsonb_to_recordset(coalesce(planned, '[]')) as p (event_id uuid, local_start timestamp, place integer)
    where p.place is null and p.event_id <> all (coalesce(dropped, '{}'));

    insert into events.lost_occurrences (event_id, series_id, local_start, place)
    select p.event_id, the_series.id, p.local_start, p.place
    from jsonb_to_recordset(coalesce(planned, '[]')) as p (event_id uuid, local_start timestamp, place integer)
    where p.place is not null and p.event_id <> all (coalesce(dropped, '{}'));

    select
        array_agg(t.event_id order by t.event_id),
        array_agg(t.starts_at order by t.event_id),
        array_agg(n.starts_at order by t.event_id)
    into moved, previous_starts, next_starts
    from jsonb_to_recordset(coalesce(planned, '[]')) as p (event_id uuid, local_start timestamp, place integer)
    cross join lateral (select ops.local_instant(p.local_start, the_series.time_zone) as starts_at) as n
    inner join events.terms as t on t.event_id = p.event_id
    inner join events.events as e on e.id = t.event_id and e.starts_at = t.starts_at
    where
        p.place is null
        and p.event_id <> all (coalesce(dropped, '{}'))
        and not e.detached
        and e.status in ('draft', 'scheduled')
        and e.starts_at > statement_timestamp()
        and n.starts_at > statement_timestamp()
        and (e.starts_at, e.ends_at, e.time_zone) is distinct from (
            n.starts_at, n.starts_at + make_interval(mins => the_series.duration_minutes), the_series.time_zone
        );

    -- Events that end free their places first. Moved events take the places of the changed series in the same
    -- statement.
    perform events.drop_events(dropped, 'The series was changed.');
    update events.events as e
    set
        starts_at = m.next_start,
        ends_at = m.next_start + make_interval(mins => the_series.duration_minutes),
        time_zone = the_series.time_zone,
        location_id = the_series.location_id,
        room_id = the_series.room_id,
        instructor_id = the_series.instructor_id,
        resource_ids = the_series.resource_ids,
        updated_at = statement_timestamp()
    from unnest(moved, previous_starts, next_starts) as m (event_id, previous_start, next_start)
    where e.id = m.event_id and e.starts_at = m.previous_start;

    perform events.record_occurrences(
        jsonb_build_array(
            jsonb_build_object('series_id', the_series.id, 'occurrences', reschedule_occurrences.occurrences)
        ),
        reschedule_occurrences.until
    );
end;
$$;

comment on function events.reschedule_occurrences(uuid, jsonb, date, jsonb) is
'Move, create, delete or cancel a series'' upcoming events to match its changed rule.';
