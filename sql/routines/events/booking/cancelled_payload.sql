-- events.cancelled_payload: return the payload of booking.cancelled.
--
-- Omits the reason, which is read when the message is sent (messaging.notification_reason).

create or replace function events.cancelled_payload(booking events.bookings)
returns jsonb
language sql
stable
return jsonb_build_object(
    'booking_id', (cancelled_payload.booking).id,
    'event_id', (cancelled_payload.booking).event_id,
    'customer_id', (cancelled_payload.booking).customer_id,
    'organization_id', (cancelled_payload.booking).organization_id,
    'seats', (cancelled_payload.booking).seats,
    'late', (cancelled_payload.booking).late,
    'fee_cents', (cancelled_payload.booking).fee_cents,
    'currency', (cancelled_payload.booking).currency
);

comment on function events.cancelled_payload(events.bookings) is 'Return the payload of booking.cancelled.';
