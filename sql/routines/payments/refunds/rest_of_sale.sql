-- payments.rest_of_sale: what is left to give back of what a payment bought.

create or replace function payments.rest_of_sale(intent payments.intents)
returns bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(
        case
            when (rest_of_sale.intent).booking_id is not null
                then (
                    select s.amount_cents - s.refunded_cents
                    from payments.sales as s
                    where s.booking_id = (rest_of_sale.intent).booking_id
                )
            else (
                select p.amount_cents - coalesce(sum(r.amount_cents), 0)::bigint
                from payments.purchases as p
                left join payments.refunds as r on r.purchase_id = p.id and not r.beyond
                where p.id = (rest_of_sale.intent).purchase_id
                group by p.amount_cents
            )
        end,
        0
    );
$$;

comment on function payments.rest_of_sale(payments.intents) is
'What is left to give back of what a payment bought.';
