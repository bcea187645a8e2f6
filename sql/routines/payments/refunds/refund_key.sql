-- payments.refund_key: what Stripe knows a refund by, so that it makes it once.
--
-- A refund that Stripe could not deliver and that was reopened is another one to Stripe.

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

comment on function payments.refund_key(payments.refunds) is 'What Stripe knows a refund by.';
