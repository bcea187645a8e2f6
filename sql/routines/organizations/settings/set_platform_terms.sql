-- organizations.set_platform_terms: set the platform's share of an organization's sales, and its payment methods.
--
-- `changes` has columns of organizations.payout_settings by name. A missing member keeps its value. For the service
-- alone. Payments that were made before keep their terms. Locks the organization's row. Records the change. Returns the
-- organization.
--
-- Refuses: 403 forbidden, 404 organization_not_found.

create or replace function organizations.set_platform_terms(organization_id uuid, changes jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_organization organizations.organizations;
    former organizations.payout_settings;
    edited organizations.payout_settings;
begin
    if not ops.caller_is_service() then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object('detail', 'Only the service may set the platform''s terms.')::text;
    end if;
    the_organization := organizations.lock_organization(set_platform_terms.organization_id, 'owner');

    insert into organizations.payout_settings (organization_id)
    values (the_organization.id)
    on conflict do nothing;

    select p.* into former
    from organizations.payout_settings as p
    where p.organization_id = the_organization.id;
    edited := jsonb_populate_record(former, changes);

    update organizations.payout_settings as p
    set
        fee_bps = edited.fee_bps,
        fee_refunded = edited.fee_refunded,
        invoices_allowed = edited.invoices_allowed,
        payment_minutes = edited.payment_minutes
    where p.organization_id = the_organization.id
    returning p.* into edited;

    perform organizations.record_change(
        the_organization.id, 'platform_terms.changed', the_organization.id, to_jsonb(former), to_jsonb(edited)
    );
    return organizations.settings_answer(the_organization.id);
end;
$$;

comment on function organizations.set_platform_terms(uuid, jsonb) is
'Set the platform''s share of an organization''s sales, and its payment methods. For the service.';

grant execute on function organizations.set_platform_terms(uuid, jsonb) to service_role;
