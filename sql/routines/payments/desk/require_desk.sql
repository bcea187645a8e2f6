-- payments.require_desk: return an organization whose tills the caller may use, and check a location of it.
--
-- For front desk, accountants, admins and owners. A location may be null. Internal.
--
-- Refuses: 403 forbidden, 404 organization_not_found, 422 invalid_request, for a location of another organization.

create or replace function payments.require_desk(organization_id uuid, location_id uuid default null)
returns organizations.organizations
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_organization organizations.organizations := events.require_organization(
        require_desk.organization_id, 'front_desk', 'accountant', 'admin', 'owner'
    );
begin
    perform users.refuse_erased();
    perform events.check_references(
        the_organization.id, jsonb_build_object('location_id', require_desk.location_id)
    );
    return the_organization;
end;
$$;

comment on function payments.require_desk(uuid, uuid) is
'Return an organization whose tills the caller may use, and check a location of it.';
