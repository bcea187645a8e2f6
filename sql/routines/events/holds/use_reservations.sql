-- events.use_reservations: turn all seats that are reserved for a customer at an event into free seats that only this
-- transaction sees.
--
-- Consumes the customer's hold and waitlist offer, for the booking that follows in the same transaction. The booking
-- takes the seats that it needs, and events.end_reservations offers the rest to the waitlist. Seats of an unpaid
-- booking are not reservations: they belong to that booking.
--
-- `named_hold_id` is the hold that the request names, or null. The caller holds the locks of the customer and of the
-- event. Internal. Returns the number of seats, and the hold that the booking records: the named one, or the oldest.
--
-- Refuses: 409 hold_expired, if the named hold has expired, or belongs to somebody else or another event.

create or replace function events.use_reservations(
    event_id uuid, customer_id uuid, named_hold_id uuid, booking_id uuid, out seats integer, out hold_id uuid
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
    with used as (
        update events.holds as h
        set status = 'consumed', used_by = use_reservations.booking_id
        where
            h.customer_id = use_reservations.customer_id
            and h.event_id = use_reservations.event_id
            and h.purpose <> 'payment'
            and h.status = 'active'
            and h.expires_at > statement_timestamp()
        returning h.id, h.seats
    )
    select
        coalesce(sum(u.seats), 0),
        coalesce(max(u.id::text) filter (where u.id = use_reservations.named_hold_id), min(u.id::text))::uuid
    into use_reservations.seats, use_reservations.hold_id
    from used as u;

    if use_reservations.named_hold_id is not null and use_reservations.hold_id is distinct from named_hold_id then
        raise exception using errcode = 'PT409', message = 'hold_expired';
    end if;
end;
$$;

comment on function events.use_reservations(uuid, uuid, uuid, uuid) is
'Turn all seats that are reserved for a customer at an event into free seats, for the booking that follows.';
