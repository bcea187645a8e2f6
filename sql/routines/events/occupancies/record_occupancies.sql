-- events.record_occupancies: keep events.occupancies equal to the events, and refuse double bookings.
--
-- A statement trigger on events.events, so that one statement may swap the times of two events. Every event occupies
-- its room, instructor and resources from start to end, unless it is cancelled. ops.create_partition moves rows out of
-- the default partition by shifting their time by a thousand years and back: these rows are skipped.
--
-- If the organization refuses double bookings, the statement waits for other changes of its occupancies, and then
-- checks. The constraint never_double_booked is the second line of defence. In a job, which has no caller to refuse,
-- the setting events.report_double_bookings makes it accept the event without enforcement: it is only listed.
--
-- Refuses: 409 double_booked, with at most 20 conflicts.

create or replace function events.record_occupancies()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    changed uuid [];
    refusing uuid [];
    wanted events.occupancies [];
    conflicts jsonb;
    is_job boolean := coalesce(current_setting('events.report_double_bookings', true), '') = 'yes';
begin
    if tg_op = 'INSERT' then
        changed := array(
            select n.id
            from new_rows as n
            where n.room_id is not null or n.instructor_id is not null or n.resource_ids <> '{}'
        );
    else
        changed := array(
            select n.id
            from new_rows as n
            inner join old_rows as o on o.id = n.id
            where
                n.starts_at > timestamptz '1900-01-01 00:00:00+00'
                and (n.starts_at, n.ends_at, n.room_id, n.instructor_id, n.resource_ids, n.status = 'cancelled')
                is distinct from
                (o.starts_at, o.ends_at, o.room_id, o.instructor_id, o.resource_ids, o.status = 'cancelled')
        );
    end if;
    if changed = '{}' then
        return null;
    end if;

    refusing := array(
        select o.id
        from organizations.organizations as o
        where o.id in (select n.organization_id from new_rows as n where n.id = any (changed))
    );
    perform events.lock_occupancies(refusing);
    -- The setting is read after the wait: a change of it takes the same lock.
    refusing := array(
        select o.id
        from organizations.organizations as o
        where o.id = any (refusing) and o.double_booking = 'refuse'
    );

    select array_agg(
        row(
            n.id, n.organization_id, s.subject_id, s.room_id, s.instructor_id, s.resource_id, n.starts_at, n.ends_at,
            n.organization_id = any (refusing)
        )::events.occupancies
    ) into wanted
    from new_rows as n
    cross join lateral (
        select n.room_id as subject_id, n.room_id, null::uuid as instructor_id, null::uuid as resource_id
        where n.room_id is not null
        union all
        select n.instructor_id, null, n.instructor_id, null where n.instructor_id is not null
        union
        select r.id, null, null, r.id from unnest(n.resource_ids) as r (id)
    ) as s
    where n.id = any (changed) and n.status <> 'cancelled';

    delete from events.occupancies as o
    where
        o.event_id = any (changed)
        and not exists (
            select
            from unnest(wanted) as w
            where
                w.event_id = o.event_id
                and w.subject_id = o.subject_id
                and w.starts_at = o.starts_at
                and w.ends_at = o.ends_at
        );

    -- No event lasts longer than 31 days (events.check_times), so the index finds the overlapping ones.
    select jsonb_agg(to_jsonb(c)) into conflicts
    from (
        select distinct
            w.event_id, w.starts_at, w.room_id, w.instructor_id, w.resource_id, other.event_id as other_event_id
        from unnest(wanted) as w
        cross join lateral (
            select o.event_id
            from events.occupancies as o
            where
                o.subject_id = w.subject_id
                and o.event_id <> w.event_id
                and o.starts_at < w.ends_at
                and o.starts_at > w.starts_at - interval '768 hours'
                and o.ends_at > w.starts_at
            union all
            select v.event_id
            from unnest(wanted) as v
            where
                v.subject_id = w.subject_id
                and v.event_id > w.event_id
                and v.starts_at < w.ends_at
                and v.ends_at > w.starts_at
        ) as other
        where w.enforced and w.ends_at > statement_timestamp()
        order by w.starts_at, w.event_id
        limit case when is_job then null else 20 end
    ) as c;

    if conflicts is not null and not is_job then
        raise exception using errcode = 'PT409', message = 'double_booked',
            detail = jsonb_build_object('conflicts', conflicts)::text;
    end if;

    insert into events.occupancies (
        event_id, organization_id, room_id, instructor_id, resource_id, starts_at, ends_at, enforced
    )
    select
        w.event_id, w.organization_id, w.room_id, w.instructor_id, w.resource_id, w.starts_at, w.ends_at,
        w.enforced
        and w.ends_at > statement_timestamp()
        and not exists (
            select
            from jsonb_to_recordset(conflicts) as c (event_id uuid)
            where c.event_id = w.event_id
        )
    from unnest(wanted) as w
    where not exists (
        select
        from events.occupancies as o
        where o.event_id = w.event_id and o.subject_id = w.subject_id
    );
    return null;
end;
$$;

create or replace trigger record_occupancies_inserted after insert on events.events
referencing new table as new_rows
for each statement execute function events.record_occupancies();

create or replace trigger record_occupancies_updated after update on events.events
referencing old table as old_rows new table as new_rows
for each statement execute function events.record_occupancies();
