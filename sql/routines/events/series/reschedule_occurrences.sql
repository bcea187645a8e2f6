-- events.reschedule_occurrences: move, create, delete or cancel a series' upcoming events to match its changed rule.
--
-- `occurrences` has all occurrences of the new rule from the series' local today up to and including `until`. Each
-- existing occurrence becomes the new one at the same local time, or else the one that names it as `previous`, or else
-- one on the same local day. Its event moves with its bookings. Events without an occurrence are deleted if unused, and
-- cancelled otherwise (events.drop_events). New occurrences get events.
--
-- An event that has started, was cancelled or was edited individually stays unchanged. Its occurrence still moves, so
-- that the event is not generated again. Called by events.edit_series, which holds the series' lock and
-- notifies.
--
-- Refuses: 409 double_booked.

create or replace function events.reschedule_occurrences(series_id uuid, occurrences jsonb, until date)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_series events.series;
    local_today date;
    kept jsonb;
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

    with existing as (
        select o.event_id, o.local_start
        from events.occurrences as o
        where o.series_id = the_series.id and o.local_start >= local_today
    ),
    wanted as (
        select
            w.local_start, ops.local_instant(w.local_start, the_series.time_zone) as starts_at, w.previous
        from jsonb_to_recordset(reschedule_occurrences.occurrences) as w (local_start timestamp, previous timestamp)
    ),
    named as (
        select e.event_id, e.local_start as previous, w.local_start, w.starts_at
        from existing as e
        inner join wanted as w on w.local_start = e.local_start
        union all
        select e.event_id, e.local_start, w.local_start, w.starts_at
        from existing as e
        inner join wanted as w on w.previous = e.local_start
        where
            e.local_start not in (select w.local_start from wanted as w)
            and w.local_start not in (select e.local_start from existing as e)
    ),
    existing_left as (
        select
            e.*,
            row_number() over (partition by e.local_start::date order by e.local_start) as place
        from existing as e
        where e.event_id not in (select n.event_id from named as n)
    ),
    wanted_left as (
        select
            w.*,
            row_number() over (partition by w.local_start::date order by w.local_start) as place
        from wanted as w
        where w.local_start not in (select n.local_start from named as n)
    ),
    pairs as (
        select n.*
        from named as n
        union all
        select e.event_id, e.local_start, w.local_start, w.starts_at
        from existing_left as e
        inner join wanted_left as w on w.local_start::date = e.local_start::date and w.place = e.place
    )
    select
        coalesce((select jsonb_agg(to_jsonb(p)) from pairs as p), '[]'),
        (
            select array_agg(e.event_id)
            from existing as e
            inner join events.terms as t on t.event_id = e.event_id
            inner join events.events as v on v.id = t.event_id and v.starts_at = t.starts_at
            where
                e.event_id not in (select p.event_id from pairs as p)
                and not v.detached
                and v.status in ('draft', 'scheduled')
                and v.starts_at > statement_timestamp()
        )
    into kept, dropped;

    -- Delete all before inserting any: two occurrences of a day may swap places, which would violate the unique key.
    delete from events.occurrences as o
    where o.event_id in (
        select k.event_id
        from jsonb_to_recordset(kept) as k (event_id uuid, previous timestamp, local_start timestamp)
        where k.local_start <> k.previous
    );
    insert into events.occurrences (series_id, local_start, event_id)
    select the_series.id, k.local_start, k.event_id
    from jsonb_to_recordset(kept) as k (event_id uuid, previous timestamp, local_start timestamp)
    where k.local_start <> k.previous;

    select
        array_agg(t.event_id order by t.event_id),
        array_agg(t.starts_at order by t.event_id),
        array_agg(k.starts_at order by t.event_id)
    into moved, previous_starts, next_starts
    from jsonb_to_recordset(kept) as k (event_id uuid, starts_at timestamptz)
    inner join events.terms as t on t.event_id = k.event_id
    inner join events.events as e on e.id = t.event_id and e.starts_at = t.starts_at
    where
        not e.detached
        and e.status in ('draft', 'scheduled')
        and e.starts_at > statement_timestamp()
        and k.starts_at > statement_timestamp()
        and (e.starts_at, e.ends_at, e.time_zone) is distinct from (
            k.starts_at, k.starts_at + make_interval(mins => the_series.duration_minutes), the_series.time_zone
        );

    -- Events that end free their places first. Moved events take the places of the changed series in the same statement.
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

comment on function events.reschedule_occurrences(uuid, jsonb, date) is
'Move, create, delete or cancel a series'' upcoming events to match its changed rule.';
