-- payments.invoice_is_paid: return whether a booking's invoice was paid, so that a refund returns money.

create or replace function payments.invoice_is_paid(booking_id uuid)
returns boolean
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select
        from payments.invoices as i
        inner join payments.invoice_payments as p on p.invoice_id = i.id
        where i.booking_id = invoice_is_paid.booking_id and i.kind = 'invoice'
    );
$$;

comment on function payments.invoice_is_paid(uuid) is
'Return whether a booking''s invoice was paid, so that a refund returns money.';
