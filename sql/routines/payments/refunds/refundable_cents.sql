-- payments.refundable_cents: return the amount of a payment's sale or purchase that can still be refunded, in cents.
--
-- Zero for a payment of a booking that another method has paid: its sale is not this payment's.

create or replace function payments.refundable_cents(intent payments.intents)
returns bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(
        case
            when (refundable_cents.intent).booking_id is not null
                then (
                    select payments.refundable_sale_cents(s)
                    from payments.sales as s
                    where
                        s.booking_id = (refundable_cents.intent).booking_id
                        and s.method = (refundable_cents.intent).method
                )
            else (
                select payments.refundable_purchase_cents(p)
                from payments.purchases as p
                where p.id = (refundable_cents.intent).purchase_id
            )
        end,
        0
    );
$$;

comment on function payments.refundable_cents(payments.intents) is
'Return the amount of a payment''s sale or purchase that can still be refunded, in cents.';
