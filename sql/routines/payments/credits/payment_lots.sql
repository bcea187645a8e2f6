-- payments.payment_lots: return the ids of the lots of credits that a payment bought, in order.
--
-- `payment_id` is the id of a booking or purchase, which is that of its payment. The lots are those of a package, those
-- that the booking's promo code granted, and refunds of the payment to the wallet.

create or replace function payments.payment_lots(payment_id uuid)
returns uuid[]
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select array(
        select l.id
        from payments.credit_lots as l
        where l.purchase_id = payment_lots.payment_id
        union
        select l.id
        from payments.credit_lots as l
        where l.booking_id = payment_lots.payment_id
        union
        select l.id
        from payments.refunds as r
        inner join payments.credit_lots as l on l.refund_id = r.id
        where r.booking_id = payment_lots.payment_id or r.purchase_id = payment_lots.payment_id
        order by id
    );
$$;

comment on function payments.payment_lots(uuid) is
'Return the ids of the lots of credits that a payment bought, in order.';
