-- payments.set_aside: owe a customer's cash in the organization's account of unclaimed balances.
--
-- For money that cannot go back the way it came. Posts once per key. Internal.

create or replace function payments.set_aside(
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
    select payments.move(
        kind => 'set_aside',
        currency => set_aside.currency,
        legs => jsonb_build_array(
            jsonb_build_object(
                'owner', 'user', 'id', set_aside.customer_id, 'type', 'cash', 'cents', set_aside.amount_cents
            ),
            jsonb_build_object(
                'owner', 'organization', 'id', set_aside.organization_id, 'type', 'unclaimed',
                'cents', -set_aside.amount_cents
            )
        ),
        idempotency_key => set_aside.idempotency_key,
        reference_type => set_aside.reference_type,
        reference_id => set_aside.reference_id
    );
$$;

comment on function payments.set_aside(uuid, uuid, bigint, text, text, text, uuid) is
'Owe a customer''s cash in the organization''s account of unclaimed balances.';
