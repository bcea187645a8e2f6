-- events.expire_unpaid_booking: expire a booking whose payment was abandoned, and offer its seats to the waitlist.
--
-- The caller holds the event's lock. Returns whether an unpaid booking was expired. Internal.

create or replace function events.expire_unpaid_booking(booking_id uuid)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_booking events.bookings;
begin
    update events.bookings as b
    set status = 'expired', status_reason = 'The payment was given up.'
    where b.id = expire_unpaid_booking.booking_id and b.status = 'pending_payment'
    returning b.* into the_booking;

    if not found then
        return false;
    end if;

    update events.holds as h
    set status = 'released'
    where h.id = the_booking.hold_id and h.status = 'active';

    perform payments.release_promo_codes(array[the_booking.id]);

    insert into public.outbox (topic, key, payload)
    values ('booking.expired', the_booking.event_id::text, events.booking_payload(the_booking));
    perform events.offer_seats(the_booking.event_id);
    return true;
end;
$$;

comment on function events.expire_unpaid_booking(uuid) is
'Expire a booking whose payment was abandoned. Returns whether an unpaid booking was expired.';
