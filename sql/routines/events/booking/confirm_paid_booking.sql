-- events.confirm_paid_booking: confirm a booking whose payment has arrived.
--
-- Consumes its hold, even past its expiry, while the hold still reserves the seats. The caller holds the event's lock.
-- Internal.
--
-- Refuses: 409 sold_out.

create or replace function events.confirm_paid_booking(booking_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_booking events.bookings;
begin
    update events.holds as h
    set status = 'consumed'
    from events.bookings as b
    where b.id = confirm_paid_booking.booking_id and h.id = b.hold_id and h.status = 'active';

    update events.bookings as b
    set status = 'confirmed', status_reason = null
    where b.id = confirm_paid_booking.booking_id
    returning b.* into the_booking;

    insert into public.outbox (topic, key, payload)
    values ('booking.confirmed', the_booking.event_id::text, events.booking_payload(the_booking));
end;
$$;

comment on function events.confirm_paid_booking(uuid) is 'Confirm a booking whose payment has arrived.';
