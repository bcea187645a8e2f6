-- payments.difference_payload: return a difference between Stripe's balance and the ledger as its message stores it.

create or replace function payments.difference_payload(difference payments.differences)
returns jsonb
language sql
stable
return jsonb_build_object(
    'id', (difference_payload.difference).id,
    'source_id', (difference_payload.difference).source_id,
    'currency', (difference_payload.difference).currency,
    'reason', (difference_payload.difference).reason,
    'stripe_cents', (difference_payload.difference).stripe_cents,
    'ledger_cents', (difference_payload.difference).ledger_cents,
    'opened_at', (difference_payload.difference).opened_at
);

comment on function payments.difference_payload(payments.differences) is
'Return a difference between Stripe''s balance and the ledger as its message stores it.';
