-- payments.refund_payload: return the members of a refund for messages.

create or replace function payments.refund_payload(refund payments.refunds)
returns jsonb
language sql
stable
return jsonb_build_object(
    'refund_id', (refund_payload.refund).id,
    'booking_id', (refund_payload.refund).booking_id,
    'purchase_id', (refund_payload.refund).purchase_id,
    'customer_id', (refund_payload.refund).customer_id,
    'organization_id', (refund_payload.refund).organization_id,
    'amount_cents', (refund_payload.refund).amount_cents,
    'currency', (refund_payload.refund).currency,
    'destination', (refund_payload.refund).destination,
    'cause', (refund_payload.refund).cause
);

comment on function payments.refund_payload(payments.refunds) is 'Return the members of a refund for messages.';
