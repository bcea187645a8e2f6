-- payments.post_unclaimed_balance: post a customer's cash to the organization's account of unclaimed balances.
--
-- For money that cannot return to the card or account that paid. The same key posts once. Internal.

create or replace function payments.post_unclaimed_balance(
    customer_id uuid,
    organization_id uuid,
    amount_cents bigint,
    currency text,
    idempotency_key text,
    reference_type text,
    reference_id uuid
)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    select payments.post_between_owners(
        kind => 'set_aside',
        currency => post_unclaimed_balance.currency,
        legs => jsonb_build_array(
            jsonb_build_object(
                'owner', 'user', 'id', post_unclaimed_balance.customer_id,
                'type', 'cash', 'cents', post_unclaimed_balance.amount_cents
            ),
            jsonb_build_object(
                'owner', 'organization', 'id', post_unclaimed_balance.organization_id, 'type', 'unclaimed',
                'cents', -post_unclaimed_balance.amount_cents
            )
        ),
        idempotency_key => post_unclaimed_balance.idempotency_key,
        reference_type => post_unclaimed_balance.reference_type,
        reference_id => post_unclaimed_balance.reference_id
    );
$$;

comment on function payments.post_unclaimed_balance(uuid, uuid, bigint, text, text, text, uuid) is
'Post a customer''s cash to the organization''s account of unclaimed balances.';
