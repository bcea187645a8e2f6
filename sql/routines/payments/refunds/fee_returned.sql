-- payments.fee_returned: how much of the platform's share goes back with a refund of so much of a sale.
--
-- In proportion to what was refunded in all, less what went back before, so that partial refunds add up to the cent.

create or replace function payments.fee_returned(sale payments.sales, amount_cents bigint)
returns bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select case
        when coalesce(
            (
                select s.fee_refunded
                from organizations.payout_settings as s
                where s.organization_id = (fee_returned.sale).organization_id
            ),
            true
        )
        then
            (fee_returned.sale).fee_cents * ((fee_returned.sale).refunded_cents + fee_returned.amount_cents)
            / (fee_returned.sale).amount_cents - (fee_returned.sale).refunded_fee_cents
        else 0
    end;
$$;

comment on function payments.fee_returned(payments.sales, bigint) is
'How much of the platform''s share goes back with a refund, in cents.';
