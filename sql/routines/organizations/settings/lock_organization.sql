-- organizations.lock_organization: lock an organization's row, or refuse a caller who has none of these roles in it.
--
-- The lock serializes changes of the organization and lasts until the transaction ends. The role is checked again after
-- the wait. Internal.
--
-- Refuses: 404 organization_not_found, 403 forbidden.

create or replace function organizations.lock_organization(
    organization_id uuid, variadic roles organizations.member_role[]
)
returns organizations.organizations
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_organization organizations.organizations := events.require_organization(
        lock_organization.organization_id, variadic lock_organization.roles
    );
begin
    perform
    from organizations.organizations as o
    where o.id = the_organization.id
    for no key update;

    return events.require_organization(the_organization.id, variadic lock_organization.roles);
end;
$$;

comment on function organizations.lock_organization(uuid, organizations.member_role[]) is
'Lock an organization''s row, or refuse a caller who has none of these roles in it.';
