-- payments.post_stripe_fee: post the fee that Stripe kept of a payment.
--
-- Posts once for each balance transaction, in the currency of Stripe's balance, which can differ from the payment's.
-- Posts nothing while the fee is unknown. Internal.

create or replace function payments.post_stripe_fee(
    intent payments.intents, balance_transaction_id text, fee_currency text
)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    select payments.post_between_owners(
        kind => 'stripe_fee',
        currency => coalesce(post_stripe_fee.fee_currency, (post_stripe_fee.intent).currency),
        legs => jsonb_build_array(
            jsonb_build_object('owner', 'platform', 'type', 'fees', 'cents', (post_stripe_fee.intent).stripe_fee_cents),
            jsonb_build_object(
                'owner', 'platform', 'type', 'clearing', 'cents', -(post_stripe_fee.intent).stripe_fee_cents
            )
        ),
        idempotency_key => 'stripe_fee:' || post_stripe_fee.balance_transaction_id,
        reference_type => 'payment',
        reference_id => (post_stripe_fee.intent).id
    )
    where post_stripe_fee.balance_transaction_id is not null and (post_stripe_fee.intent).stripe_fee_cents > 0;
$$;

comment on function payments.post_stripe_fee(payments.intents, text, text) is
'Post the fee that Stripe kept of a payment.';
