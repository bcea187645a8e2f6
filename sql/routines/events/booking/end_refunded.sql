-- events.end_refunded: end a booking whose price was given back in full, and offer its seats onwards.
--
-- Who came, or did not, has done so, whatever goes back. The caller holds the event's lock. Answers whether the booking
-- was still to come. Internal.

create or replace function events.end_refunded(booking_id uuid)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_booking events.bookings;
begin
    update events.bookings as b
    set status = 'refunded', status_reason = 'The price was given back.', cancelled_at = statement_timestamp()
    where b.id = end_refunded.booking_id and b.status = 'confirmed'
    returning b.* into the_booking;

    if not found then
        return false;
    end if;

    insert into public.outbox (topic, key, payload)
    values (
        'booking.cancelled', the_booking.event_id::text,
        events.booking_payload(the_booking) || '{"by_organizer": false}'
    );
    perform events.offer_seats(the_booking.event_id);
    return true;
end;
$$;

comment on function events.end_refunded(uuid) is
'End a booking whose price was given back in full; answers whether it was still to come.';
