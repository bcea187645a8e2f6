-- events.require_organization: return an organization, or refuse a caller who has none of these roles in it.
--
-- Refuses: 404 organization_not_found, 403 forbidden.

create or replace function events.require_organization(
    organization_id uuid, variadic roles organizations.member_role[]
)
returns organizations.organizations
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_organization organizations.organizations;
begin
    select o.* into the_organization
    from organizations.organizations as o
    where o.id = require_organization.organization_id;

    if not found then
        raise exception using errcode = 'PT404', message = 'organization_not_found';
    end if;

    if not organizations.caller_is(the_organization.id, variadic require_organization.roles) then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object(
                'detail', format(
                    'Only members of the organization with one of these roles may do this: %s.',
                    array_to_string(require_organization.roles, ', ')
                )
            )::text;
    end if;
    return the_organization;
end;
$$;

comment on function events.require_organization(uuid, organizations.member_role[]) is
'Return an organization, or refuse a caller who has none of these roles in it.';
