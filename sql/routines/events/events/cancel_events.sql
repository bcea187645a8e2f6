-- events.cancel_events: cancel events for their organizer, with their bookings, holds and waitlist entries.
--
-- Bookings end without a penalty. Customers are notified and get their money back.
--
-- Set-based: a few statements for all events. Locks the events' inventories in id order and closes them, so that a
-- concurrent booking is refused afterwards. Cancelled and completed events stay unchanged. Called by routines that have
-- checked the caller's permission. Returns the number of ended bookings.

create or replace function events.cancel_events(event_ids uuid[], reason text)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_reason text := left(cancel_events.reason, 500);
    cancelled uuid[];
    ended_ids uuid[];
begin
    perform
    from events.inventory as i
    where i.event_id = any (cancel_events.event_ids)
    order by i.event_id
    for no key update;

    with changed as (
        update events.events as e
        set status = 'cancelled', status_reason = the_reason, updated_at = statement_timestamp()
        from events.terms as t
        where
            t.event_id = any (cancel_events.event_ids)
            and e.id = t.event_id
            and e.starts_at = t.starts_at
            and e.status in ('draft', 'scheduled')
        returning e.id
    )
    select array_agg(c.id) into cancelled from changed as c;

    update events.inventory as i
    set closed = true
    where i.event_id = any (cancelled);

    with ended as (
        update events.bookings as b
        set
            status = case when b.status = 'held' then 'expired' else 'cancelled' end::events.booking_status,
            status_reason = the_reason,
            cancelled_at = statement_timestamp(),
            late = false,
            fee_cents = 0
        where b.event_id = any (cancelled) and b.status in ('pending_payment', 'held', 'confirmed')
        returning b.*
    ),
    told as (
        insert into public.outbox (topic, key, payload)
        select
            'booking.cancelled', e.event_id::text,
            events.booking_payload(e::events.bookings) || '{"by_organizer": true}'
        from ended as e
        order by e.event_id, e.id
    )
    select array_agg(e.id) into ended_ids from ended as e;

    perform payments.reverse_sales(ended_ids, 'event_cancelled');

    with ended as (
        update events.waitlist_entries as w
        set status = 'expired', status_reason = the_reason
        where w.event_id = any (cancelled) and w.status in ('waiting', 'offered')
        returning w.*
    )
    insert into public.outbox (topic, key, payload)
    select
        'waitlist.expired', e.event_id::text,
        events.waitlist_payload(e::events.waitlist_entries, t.organization_id) || '{"by_organizer": true}'
    from ended as e
    inner join events.terms as t on t.event_id = e.event_id
    order by e.event_id, e.place;

    update events.holds as h
    set status = 'released'
    where h.event_id = any (cancelled) and h.status = 'active';

    insert into public.outbox (topic, key, payload)
    select 'event.cancelled', c.event_id::text, events.event_payload(c.event_id)
    from unnest(cancelled) as c (event_id)
    order by c.event_id;

    return coalesce(cardinality(ended_ids), 0);
end;
$$;

comment on function events.cancel_events(uuid[], text) is
'Cancel events for their organizer, with their bookings, holds and waitlist entries. Returns how many bookings ended.';
