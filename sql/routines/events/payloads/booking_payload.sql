-- events.booking_payload: return a booking as its messages store it: ids, amounts, times and states.
--
-- Its reason and its event are read when a message is sent (events.read_booking_details), so that no queue keeps a text
-- that erasure or a period has ended.

create or replace function events.booking_payload(booking events.bookings)
returns jsonb
language sql
stable
return jsonb_build_object(
    'id', (booking_payload.booking).id,
    'event_id', (booking_payload.booking).event_id,
    'organization_id', (booking_payload.booking).organization_id,
    'customer_id', (booking_payload.booking).customer_id,
    'seats', (booking_payload.booking).seats,
    'guest', (booking_payload.booking).guest,
    'status', (booking_payload.booking).status,
    'payment_method', (booking_payload.booking).payment_method,
    'price_cents', (booking_payload.booking).price_cents,
    'currency', (booking_payload.booking).currency,
    'created_at', (booking_payload.booking).created_at,
    'cancelled_at', (booking_payload.booking).cancelled_at,
    'late', (booking_payload.booking).late,
    'fee_cents', (booking_payload.booking).fee_cents
);

comment on function events.booking_payload(events.bookings) is
'Return a booking as its messages store it: ids, amounts, times and states.';
