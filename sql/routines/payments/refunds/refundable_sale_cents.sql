-- payments.refundable_sale_cents: return the amount of a booking's sale that can be refunded, in cents.
--
-- The spent part of credits that the booking's promo code granted is not refunded: the customer has had it.

create or replace function payments.refundable_sale_cents(sale payments.sales)
returns bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select greatest(
        0,
        (refundable_sale_cents.sale).amount_cents - (refundable_sale_cents.sale).refunded_cents
        - payments.spent_grant_cents((refundable_sale_cents.sale).booking_id)
    );
$$;

comment on function payments.refundable_sale_cents(payments.sales) is
'Return the amount of a booking''s sale that can be refunded, in cents.';
