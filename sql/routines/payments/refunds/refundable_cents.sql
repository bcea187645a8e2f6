-- payments.refundable_cents: return the amount of a payment's sale or purchase that is not refunded yet, in cents.

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
                    select s.amount_cents - s.refunded_cents
                    from payments.sales as s
                    where s.booking_id = (refundable_cents.intent).booking_id
                )
            else (
                select p.amount_cents - coalesce(sum(r.amount_cents), 0)::bigint
                from payments.purchases as p
                left join payments.refunds as r on r.purchase_id = p.id and not r.beyond
                where p.id = (refundable_cents.intent).purchase_id
                group by p.amount_cents
            )
        end,
        0
    );
$$;

comment on function payments.refundable_cents(payments.intents) is
'Return the amount of a payment''s sale or purchase that is not refunded yet, in cents.';
