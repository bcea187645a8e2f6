-- payments.next_invoice_number: reserve the next numbers of an organization's series of invoices, and return the first.
--
-- Locks the organization's counter until the transaction ends, so that a number is used if and only if its invoice
-- exists. The caller takes no lock after this one. Internal.

create or replace function payments.next_invoice_number(organization_id uuid, several integer)
returns integer
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
    insert into payments.invoice_numbers as n (organization_id, last)
    values (next_invoice_number.organization_id, next_invoice_number.several)
    on conflict on constraint invoice_numbers_pkey do update
    set last = n.last + excluded.last
    returning n.last - next_invoice_number.several + 1;
$$;

comment on function payments.next_invoice_number(uuid, integer) is
'Reserve the next numbers of an organization''s series of invoices, and return the first.';
