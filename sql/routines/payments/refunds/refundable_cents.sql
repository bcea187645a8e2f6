-- payments.refundable_cents: return the amount of a payment's sale or purchase that can still be refunded, in cents.
--
-- Zero for a payment whose booking was paid by another method (payments.has_paid_sale).

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
                        and payments.has_paid_sale((refundable_cents.intent).id)
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
