-- payments.refund_key: return the idempotency key of a refund at Stripe.
--
-- A refund that was reopened has a new key, so that Stripe makes a new refund.

create or replace function payments.refund_key(refund payments.refunds)
returns text
language sql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
    select
        'refund-' || (refund_key.refund).id
        || case when (refund_key.refund).reopened > 0 then '-' || (refund_key.refund).reopened else '' end;
$$;

comment on function payments.refund_key(payments.refunds) is 'Return the idempotency key of a refund at Stripe.';
