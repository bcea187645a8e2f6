-- events.close_refunded_booking: close a booking whose price was refunded in full, and offer its seats to the waitlist.
--
-- The credits of its promo code end, and their spent part is deducted or owed (payments.reverse_sales). If none were
-- spent, the code can be used again. A booking with recorded attendance keeps its state, even if it is refunded. The
-- caller holds the event's lock. Returns whether a confirmed booking was closed. Internal.

create or replace function events.close_refunded_booking(booking_id uuid)
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
    where b.id = close_refunded_booking.booking_id and b.status = 'confirmed'
    returning b.* into the_booking;

    if not found then
        return false;
    end if;

    perform payments.reverse_sales(array[the_booking.id], 'cancelled', amounts_cents => array[0]::bigint[]);
    perform payments.release_promo_codes(array[the_booking.id]);

    insert into public.outbox (topic, key, payload)
    values (
        'booking.cancelled', the_booking.event_id::text,
        events.booking_payload(the_booking) || '{"by_organizer": false}'
    );
    perform events.offer_seats(the_booking.event_id);
    return true;
end;
$$;

comment on function events.close_refunded_booking(uuid) is
'Close a booking whose price was refunded in full. Returns whether a confirmed booking was closed.';
