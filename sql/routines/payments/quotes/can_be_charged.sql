-- payments.can_be_charged: return whether Stripe charges an amount: not too little for the currency, and not too much.

create or replace function payments.can_be_charged(amount_cents bigint, currency text)
returns boolean
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select
        from ref.currencies as c
        where c.code = can_be_charged.currency and can_be_charged.amount_cents between c.charge_min_cents and 99999999
    );
$$;

comment on function payments.can_be_charged(bigint, text) is 'Return whether Stripe charges an amount of a currency.';
