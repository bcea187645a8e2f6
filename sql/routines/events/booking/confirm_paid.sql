-- events.confirm_paid: confirm a booking whose payment has come.
--
-- Its hold is used up, lapsed or not, as long as it still keeps the seats. The caller holds the event's lock. Internal.
--
-- Refuses: 409 sold_out.

create or replace function events.confirm_paid(booking_id uuid)
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
    where b.id = confirm_paid.booking_id and h.id = b.hold_id and h.status = 'active';

    update events.bookings as b
    set status = 'confirmed', status_reason = null
    where b.id = confirm_paid.booking_id
    returning b.* into the_booking;

    insert into public.outbox (topic, key, payload)
    values ('booking.confirmed', the_booking.event_id::text, events.booking_payload(the_booking));
end;
$$;

comment on function events.confirm_paid(uuid) is 'Confirm a booking whose payment has come.';
