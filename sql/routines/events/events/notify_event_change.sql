-- events.notify_event_change: notify customers and instructors about changed fields of their events.
--
-- events.field_notices decides who is notified of which field. `previous_starts` has the events' starts before the
-- change, in the order of `event_ids`. Sends one message per customer and event, and one per instructor. A substitute
-- and the instructor before are notified by events.notify_substitution instead. Called by the routines that change
-- events.

create or replace function events.notify_event_change(event_ids uuid[], previous_starts timestamptz[], changed text[])
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    with notices as materialized (
        select
            coalesce(array_agg(n.field) filter (where n.customers), '{}') as of_customers,
            coalesce(array_agg(n.field) filter (where n.instructors), '{}') as of_instructors
        from events.field_notices() as n
        where n.field = any (notify_event_change.changed)
    ),

    told as materialized (
        select m.event_id, m.previous_starts_at, events.event_payload(m.event_id) as payload
        from unnest(notify_event_change.event_ids, notify_event_change.previous_starts) as m (event_id, previous_starts_at)
    ),

    told_customers as (
        insert into public.outbox (topic, key, payload)
        select
            'event.changed', m.event_id::text,
            m.payload || jsonb_build_object(
                'customer_id', c.customer_id, 'booking_id', c.booking_id, 'changed', to_jsonb(n.of_customers),
                'previous_starts_at', m.previous_starts_at
            )
        from told as m
        inner join notices as n on n.of_customers <> '{}'
        inner join lateral (
            select distinct on (p.customer_id) p.customer_id, p.booking_id
            from (
                select b.customer_id, b.id as booking_id
                from events.bookings as b
                where b.event_id = m.event_id and b.status in ('pending_payment', 'held', 'confirmed')
                union all
                select w.customer_id, null
                from events.waitlist_entries as w
                where w.event_id = m.event_id and w.status in ('waiting', 'offered')
            ) as p
            order by p.customer_id, p.booking_id
        ) as c on true
        order by m.event_id, c.customer_id
    )

    select events.notify_instructors(
        array_agg(m.event_id order by m.event_id),
        array_agg((m.payload ->> 'instructor_id')::uuid order by m.event_id),
        'changed', n.of_instructors
    )
    from told as m
    inner join notices as n on n.of_instructors <> '{}' and 'instructor_id' <> all (notify_event_change.changed)
    group by n.of_instructors;
$$;

comment on function events.notify_event_change(uuid[], timestamptz[], text[]) is
'Notify customers and instructors about changed fields of their events.';
