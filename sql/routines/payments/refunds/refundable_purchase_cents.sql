-- payments.refundable_purchase_cents: return the price of a package's unspent credits that is not refunded yet.
--
-- Spent credits count as purchased ones first, also when they were taken from the bonus. Expired credits count as
-- unspent: the organization received their money, and bears a refund that somebody made at Stripe. Zero before the
-- credits are granted.

create or replace function payments.refundable_purchase_cents(purchase payments.purchases)
returns bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select case
        when (refundable_purchase_cents.purchase).status in ('granted', 'refunded')
        then greatest(
            0,
            (refundable_purchase_cents.purchase).amount_cents
            * greatest(0, (refundable_purchase_cents.purchase).credits - coalesce(sum(u.amount - u.returned), 0))::bigint
            / (refundable_purchase_cents.purchase).credits - (refundable_purchase_cents.purchase).refunded_cents
        )
        else 0
    end
    from payments.credit_lots as l
    inner join payments.credit_uses as u on u.lot_id = l.id
    where l.purchase_id = (refundable_purchase_cents.purchase).id;
$$;

comment on function payments.refundable_purchase_cents(payments.purchases) is
'Return the price of a package''s unspent credits that is not refunded yet.';
