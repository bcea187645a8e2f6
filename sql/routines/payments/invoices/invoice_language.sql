-- payments.invoice_language: the language of the customer whom an invoice or a credit note is for.
--
-- For whoever may see the invoice: the customer, and those who see the organization's invoices, who cannot read its
-- customers' profiles. Null for everybody else.

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
'The language of the customer whom an invoice or a credit note is for.';

grant execute on function payments.invoice_language(uuid) to authenticated, service_role;
