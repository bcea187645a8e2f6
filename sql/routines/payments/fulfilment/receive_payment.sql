-- payments.receive_payment: post a payment that Stripe has received to the customer's cash account.
--
-- Posts once for each payment. Internal.

create or replace function payments.receive_payment(intent payments.intents)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    select payments.post_between_owners(
        kind => 'payment',
        currency => (receive_payment.intent).currency,
        legs => jsonb_build_array(
            jsonb_build_object('owner', 'platform', 'type', 'clearing', 'cents', (receive_payment.intent).amount_cents),
            jsonb_build_object(
                'owner', 'user', 'id', (receive_payment.intent).customer_id, 'type', 'cash',
                'cents', -(receive_payment.intent).amount_cents
            )
        ),
        idempotency_key => 'payment:' || (receive_payment.intent).id,
        reference_type => 'payment',
        reference_id => (receive_payment.intent).id
    );
$$;

comment on function payments.receive_payment(payments.intents) is
'Post a payment that Stripe has received to the customer''s cash account.';
