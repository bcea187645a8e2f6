-- payments.is_paid_at_desk: return whether the money of a sale, or of its invoice, entered a till.
--
-- Internal.

create or replace function payments.is_paid_at_desk(sale payments.sales)
returns boolean
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select
        (is_paid_at_desk.sale).method::text in ('cash', 'terminal')
        or (
            (is_paid_at_desk.sale).method = 'invoice'
            and exists (
                select
                from payments.invoices as i
                inner join payments.till_movements as m on m.kind = 'invoice' and m.subject_id = i.id
                where i.booking_id = (is_paid_at_desk.sale).booking_id and i.kind = 'invoice'
            )
        );
$$;

comment on function payments.is_paid_at_desk(payments.sales) is
'Return whether the money of a sale, or of its invoice, entered a till.';
