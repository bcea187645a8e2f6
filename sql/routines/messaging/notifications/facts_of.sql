-- messaging.facts_of: return the values of a payload under the names that the texts of its topic use.
--
-- A payload has the names of the API: an id, a gross amount. A text speaks of bookings, refunds and amounts to pay.
-- A payload that earlier code wrote has these names itself; they win where a text is rendered.

create or replace function messaging.facts_of(topic text, payload jsonb)
returns jsonb
language sql
stable
return case
    when facts_of.topic like 'booking.%' then jsonb_build_object('booking_id', facts_of.payload -> 'id')
    when facts_of.topic like 'event.%' then jsonb_build_object('event_id', facts_of.payload -> 'id')
    when facts_of.topic like 'waitlist.%'
        then jsonb_build_object(
            'entry_id', facts_of.payload -> 'id', 'left_waitlist', facts_of.payload ->> 'status' = 'expired'
        )
    when facts_of.topic like 'refund.%' or facts_of.topic = 'payment.returned'
        then jsonb_build_object('refund_id', facts_of.payload -> 'id')
    when facts_of.topic = 'invoice.issued'
        then jsonb_build_object('amount_cents', facts_of.payload -> 'gross_cents')
    when facts_of.topic = 'credits.granted'
        then jsonb_build_object(
            'amount_cents',
            (facts_of.payload ->> 'amount')::bigint + coalesce((facts_of.payload ->> 'bonus')::bigint, 0)
        )
    when facts_of.topic = 'pass.granted'
        then jsonb_build_object(
            'units', (facts_of.payload ->> 'amount')::bigint + coalesce((facts_of.payload ->> 'bonus')::bigint, 0)
        )
    else '{}'
end;

comment on function messaging.facts_of(text, jsonb) is
'Return the values of a payload under the names that the texts of its topic use.';
