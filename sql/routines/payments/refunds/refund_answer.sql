-- payments.refund_answer: return a refund as the API shows it.

create or replace function payments.refund_answer(refund payments.refunds)
returns jsonb
language sql
stable
return jsonb_build_object(
    'id', (refund_answer.refund).id,
    'booking_id', (refund_answer.refund).booking_id,
    'purchase_id', (refund_answer.refund).purchase_id,
    'customer_id', (refund_answer.refund).customer_id,
    'organization_id', (refund_answer.refund).organization_id,
    'amount_cents', (refund_answer.refund).amount_cents,
    'currency', (refund_answer.refund).currency,
    'destination', (refund_answer.refund).destination,
    'cause', (refund_answer.refund).cause,
    'beyond', (refund_answer.refund).beyond,
    'debt', payments.refund_debt_status(refund_answer.refund),
    'recovered_cents', (refund_answer.refund).recovered_cents,
    'status', (refund_answer.refund).status,
    'reason', (refund_answer.refund).status_reason,
    'created_at', (refund_answer.refund).created_at,
    'settled_at', (refund_answer.refund).settled_at
);

comment on function payments.refund_answer(payments.refunds) is 'Return a refund as the API shows it.';
