-- events.new_booking_payload: return a new, confirmed booking as its messages store it, from the response to it.
--
-- The one definition of the payload's members. Both paths of events.book call it (see events.place_booking), because
-- they write the outbox row before the booking: the event's inventory is then locked for less time.
-- events.booking_payload calls it for a booking that exists.
--
-- The response is one flat object of ids, numbers and codes, so the only brace is at its end. Other members replace it,
-- at a third of the cost of building the object again.

create or replace function events.new_booking_payload(answer text, organization_id uuid)
returns jsonb
language sql
stable
return replace(
    new_booking_payload.answer,
    '}',
    ', "organization_id": "' || new_booking_payload.organization_id::text
    || '", "cancelled_at": null, "late": false, "fee_cents": 0}'
)::jsonb;

comment on function events.new_booking_payload(text, uuid) is
'Return a new, confirmed booking as its messages store it, from the response to it.';
