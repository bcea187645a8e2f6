-- events.abandon_unpaid: end a booking whose payment was given up, and offer its seats onwards.
--
-- The caller holds the event's lock. Answers whether there was anything to end. Internal.

create or replace function events.abandon_unpaid(booking_id uuid)
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
    where b.id = abandon_unpaid.booking_id and b.status = 'pending_payment'
    returning b.* into the_booking;

    if not found then
        return false;
    end if;

    update events.holds as h
    set status = 'released'
    where h.id = the_booking.hold_id and h.status = 'active';

    perform payments.give_back_promo_codes(array[the_booking.id]);

    insert into public.outbox (topic, key, payload)
    values ('booking.expired', the_booking.event_id::text, events.booking_payload(the_booking));
    perform events.offer_seats(the_booking.event_id);
    return true;
end;
$$;

comment on function events.abandon_unpaid(uuid) is
'End a booking whose payment was given up; answers whether there was one.';
