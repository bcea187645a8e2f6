-- payments.has_paid_sale: return whether a payment at Stripe paid for the sale of its booking.
--
-- It did not if the booking was paid by another method before the payment succeeded. Then the payment goes back, and
-- its refunds and disputes leave the sale as it is. False without a sale, and for a package.

create or replace function payments.has_paid_sale(intent_id uuid)
returns boolean
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select
        from payments.intents as i
        inner join payments.sales as s on s.booking_id = i.booking_id and s.method = i.method
        where i.id = has_paid_sale.intent_id
    );
$$;

comment on function payments.has_paid_sale(uuid) is
'Return whether a payment at Stripe paid for the sale of its booking.';
