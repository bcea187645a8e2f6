-- payments.invoice_language: return the language of the customer of an invoice or credit note.
--
-- For the customer, and for staff who may see the organization's invoices but not its customers' profiles. Null for
-- anyone else.

create or replace function payments.invoice_language(invoice_id uuid)
returns text
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select p.language::text
    from payments.invoices as i
    inner join users.profiles as p on p.id = i.customer_id
    where
        i.id = invoice_language.invoice_id
        and (
            i.customer_id = ops.caller_id()
            or organizations.caller_is(i.organization_id, 'accountant', 'front_desk', 'admin', 'owner')
        );
$$;

comment on function payments.invoice_language(uuid) is
'Return the language of the customer of an invoice or credit note.';

grant execute on function payments.invoice_language(uuid) to authenticated, service_role;
