-- payments.dispute_payload: return a dispute, with the booking or purchase of its payment, as its message stores it.

create or replace function payments.dispute_payload(dispute payments.disputes, intent payments.intents)
returns jsonb
language sql
stable
return jsonb_build_object(
    'dispute', (dispute_payload.dispute).stripe_dispute_id,
    'organization_id', (dispute_payload.dispute).organization_id,
    'customer_id', (dispute_payload.intent).customer_id,
    'booking_id', (dispute_payload.intent).booking_id,
    'purchase_id', (dispute_payload.intent).purchase_id,
    'status', (dispute_payload.dispute).status,
    'amount_cents', (dispute_payload.dispute).amount_cents,
    'currency', (dispute_payload.dispute).currency
);

comment on function payments.dispute_payload(payments.disputes, payments.intents) is
'Return a dispute, with the booking or purchase of its payment, as its message stores it.';
