-- messaging.send_reminders: remind customers of events that start soon.
--
-- A reminder is due from the organization's `reminder_hours` before the start until the start. After an outage
-- reminders are late, but none is sent for an event that has started. Each booking that was confirmed when the reminder
-- fell due is reminded once of each start: an event that moved after its reminder has another one when that falls due.
-- Later bookings are not reminded, because their customers have just booked, unless the event moved after that.
--
-- Processes one bounded batch in a single statement, ordered by start. An event is recorded as reminded once all its
-- reminders are in the outbox. A repeated call sends no reminder twice. For the service. Returns {"reminded", "more"}.

create or replace function messaging.send_reminders(
    at timestamptz default statement_timestamp(),
    most integer default 2000,
    events_most integer default 500
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    latest timestamptz := send_reminders.at
        + make_interval(hours => (select max(o.reminder_hours) from organizations.organizations as o));
    result jsonb;
begin
    with due_events as materialized (
        select e.id as event_id, e.organization_id, e.starts_at, d.due_at
        from events.events as e
        inner join organizations.organizations as o on o.id = e.organization_id
        cross join lateral (select e.starts_at - make_interval(hours => o.reminder_hours) as due_at) as d
        where
            e.status = 'scheduled'
            and e.starts_at > send_reminders.at
            and e.starts_at <= latest
            and o.reminder_hours > 0
            and d.due_at <= send_reminders.at
            and not exists (
                select
                from messaging.reminded_events as r
                where r.event_id = e.id and r.due_at = d.due_at
            )
        order by e.starts_at, e.id
        limit send_reminders.events_most
    ),

    due as materialized (
        select b.id as booking_id, b.event_id, b as booking, e.starts_at
        from due_events as e
        inner join events.terms as t on t.event_id = e.event_id
        inner join events.bookings as b on b.event_id = e.event_id
        where
            b.status = 'confirmed'
            and b.created_at <= greatest(e.due_at, t.moved_at)
            and not exists (
                select
                from messaging.reminders as r
                where r.booking_id = b.id and (r.starts_at = e.starts_at or r.reminded_at >= e.due_at)
            )
        order by e.starts_at, b.event_id, b.id
        limit send_reminders.most
    ),

    reminded as (
        insert into messaging.reminders as r (booking_id, reminded_at, starts_at)
        select d.booking_id, send_reminders.at, d.starts_at
        from due as d
        order by d.starts_at, d.event_id, d.booking_id
        on conflict (booking_id) do update
        set reminded_at = excluded.reminded_at, starts_at = excluded.starts_at
        where r.starts_at is distinct from excluded.starts_at
        returning booking_id
    ),

    told as (
        insert into public.outbox (topic, key, payload)
        select 'booking.reminder', d.event_id::text, events.booking_payload(d.booking)
        from due as d
        inner join reminded as r on r.booking_id = d.booking_id
        order by d.starts_at, d.event_id, d.booking_id
    ),

    done as (
        insert into messaging.reminded_events as r (event_id, due_at)
        select e.event_id, e.due_at
        from due_events as e
        where (select count(*) from due) < send_reminders.most
        order by e.starts_at, e.event_id
        on conflict (event_id) do update set due_at = excluded.due_at
    )

    select jsonb_build_object(
        'reminded', (select count(*) from reminded),
        'more',
        (select count(*) from due) = send_reminders.most
        or (select count(*) from due_events) = send_reminders.events_most
    ) into result;
    return result;
end;
$$;

comment on function messaging.send_reminders(timestamptz, integer, integer) is
'Remind customers of events that start soon; returns the number, and whether there may be more.';

grant execute on function messaging.send_reminders(timestamptz, integer, integer) to service_role;
