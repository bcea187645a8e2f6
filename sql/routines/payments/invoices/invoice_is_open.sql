-- payments.invoice_is_open: return whether a booking's invoice has an amount that is neither paid nor credited.
--
-- Internal.

create or replace function payments.invoice_is_open(booking_id uuid)
returns boolean
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select
        from payments.invoices as i
        where
            i.booking_id = invoice_is_open.booking_id
            and i.kind = 'invoice'
            and not exists (select from payments.invoice_payments as p where p.invoice_id = i.id)
            and i.gross_cents > (
                select coalesce(sum(c.gross_cents), 0)
                from payments.invoices as c
                where c.corrects_id = i.id
            )
    );
$$;

comment on function payments.invoice_is_open(uuid) is
'Return whether a booking''s invoice has an amount that is neither paid nor credited.';
