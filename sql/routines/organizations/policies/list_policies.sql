-- organizations.list_policies: return the booking policies of an organization, by name, archived ones included.
--
-- For its members and the service.
--
-- Refuses: 404 organization_not_found, 403 forbidden.

create or replace function organizations.list_policies(organization_id uuid)
returns setof organizations.policies
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_organization organizations.organizations := events.require_organization(
        list_policies.organization_id, variadic enum_range(null::organizations.member_role)
    );
begin
    return query
    select p.*
    from organizations.policies as p
    where p.organization_id = the_organization.id
    order by p.name, p.id
    limit 500;
end;
$$;

comment on function organizations.list_policies(uuid) is
'Return the booking policies of an organization, by name.';

grant execute on function organizations.list_policies(uuid) to authenticated, service_role;
