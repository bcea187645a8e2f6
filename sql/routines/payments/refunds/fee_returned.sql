-- payments.fee_returned: return the part of the platform's share that is refunded with a part of a sale, in cents.
--
-- It is in proportion to all refunds of the sale and its deducted credits, less the earlier parts, so that partial
-- refunds add up to the cent.

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
            (fee_returned.sale).fee_cents
            * (
                (fee_returned.sale).refunded_cents + (fee_returned.sale).deducted_cents + fee_returned.amount_cents
            )
            / (fee_returned.sale).amount_cents - (fee_returned.sale).refunded_fee_cents
        else 0
    end;
$$;

comment on function payments.fee_returned(payments.sales, bigint) is
'Return the part of the platform''s share that is refunded with a part of a sale, in cents.';
