-- payments.payout_payload: return a failed payout as its message stores it. The platform's has no organization.

create or replace function payments.payout_payload(payout payments.payouts)
returns jsonb
language sql
stable
return jsonb_build_object(
    'payout', (payout_payload.payout).stripe_payout_id,
    'organization_id', (payout_payload.payout).organization_id,
    'amount_cents', (payout_payload.payout).amount_cents,
    'currency', (payout_payload.payout).currency,
    'why', coalesce((payout_payload.payout).failure_message, (payout_payload.payout).failure_code)
);

comment on function payments.payout_payload(payments.payouts) is
'Return a failed payout as its message stores it.';
