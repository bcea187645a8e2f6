-- organizations.write_business_details: change members of an organization's business details.
--
-- `changes` has columns of organizations.business_details by name, and may have others. A missing member keeps its
-- value. The caller holds the lock of the organization's row and has checked the member of staff. Internal.

create or replace function organizations.write_business_details(organization_id uuid, changes jsonb)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_details organizations.business_details;
begin
    insert into organizations.business_details (organization_id)
    values (write_business_details.organization_id)
    on conflict do nothing;

    select d.* into the_details
    from organizations.business_details as d
    where d.organization_id = write_business_details.organization_id;
    the_details := jsonb_populate_record(the_details, write_business_details.changes);

    update organizations.business_details as d
    set
        legal_name = the_details.legal_name,
        street = the_details.street,
        postal_code = the_details.postal_code,
        city = the_details.city,
        contact_email = the_details.contact_email,
        contact_phone = the_details.contact_phone,
        website = the_details.website,
        tax_number = the_details.tax_number,
        invoice_due_days = the_details.invoice_due_days,
        invoice_note = the_details.invoice_note,
        updated_at = statement_timestamp()
    where d.organization_id = write_business_details.organization_id;
end;
$$;

comment on function organizations.write_business_details(uuid, jsonb) is
'Change members of an organization''s business details.';
