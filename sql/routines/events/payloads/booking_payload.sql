-- events.booking_payload: return a booking as its messages store it: ids, amounts, times and states.
--
-- It is the payload of a new booking (events.new_booking_payload) with the current values of the members that change.
-- So the members of the payload are defined once.
--
-- The booking's reason and its event are read when a message is sent (events.read_booking_details), so that no queue
-- keeps a text that erasure or a period has ended.

create or replace function events.booking_payload(booking events.bookings)
returns jsonb
language sql
stable
return events.new_booking_payload(
    events.booking_answer(
        (booking_payload.booking).id,
        (booking_payload.booking).event_id,
        (booking_payload.booking).customer_id,
        (booking_payload.booking).seats,
        (booking_payload.booking).guest,
        (booking_payload.booking).payment_method,
        (booking_payload.booking).price_cents,
        (booking_payload.booking).currency
    ),
    (booking_payload.booking).organization_id
) || jsonb_build_object(
    'status', (booking_payload.booking).status,
    'created_at', (booking_payload.booking).created_at,
    'cancelled_at', (booking_payload.booking).cancelled_at,
    'late', (booking_payload.booking).late,
    'fee_cents', (booking_payload.booking).fee_cents
);

comment on function events.booking_payload(events.bookings) is
'Return a booking as its messages store it: ids, amounts, times and states.';
