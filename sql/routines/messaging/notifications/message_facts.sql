-- messaging.message_facts: return the values of a payload under the names that the texts of its topic use.
--
-- A payload has the names of the API: an id, a gross amount. A text speaks of bookings, refunds and amounts to pay.
-- A payload that earlier code wrote has these names itself; they win where a text is rendered.

create or replace function messaging.message_facts(topic text, payload jsonb)
returns jsonb
language sql
stable
return case
    when message_facts.topic like 'booking.%' then jsonb_build_object('booking_id', message_facts.payload -> 'id')
    when message_facts.topic like 'event.%' then jsonb_build_object('event_id', message_facts.payload -> 'id')
    when message_facts.topic like 'waitlist.%'
        then jsonb_build_object(
            'entry_id', message_facts.payload -> 'id', 'left_waitlist', message_facts.payload ->> 'status' = 'expired'
        )
    when message_facts.topic like 'refund.%' or message_facts.topic = 'payment.returned'
        then jsonb_build_object('refund_id', message_facts.payload -> 'id')
    when message_facts.topic = 'invoice.issued'
        then jsonb_build_object('amount_cents', message_facts.payload -> 'gross_cents')
    when message_facts.topic = 'credits.granted'
        then jsonb_build_object(
            'amount_cents',
            (message_facts.payload ->> 'amount')::bigint + coalesce((message_facts.payload ->> 'bonus')::bigint, 0)
        )
    when message_facts.topic = 'pass.granted'
        then jsonb_build_object(
            'units',
            (message_facts.payload ->> 'amount')::bigint + coalesce((message_facts.payload ->> 'bonus')::bigint, 0)
        )
    when message_facts.topic = 'invitation.sent'
        then jsonb_build_object('invitation_id', message_facts.payload -> 'id')
    when message_facts.topic = 'ownership.offered'
        then jsonb_build_object('offer_id', message_facts.payload -> 'id')
    else '{}'
end;

comment on function messaging.message_facts(text, jsonb) is
'Return the values of a payload under the names that the texts of its topic use.';
