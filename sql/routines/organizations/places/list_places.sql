-- organizations.list_places: return all locations, rooms, instructors and resources of an organization, by name.
--
-- For its members and the service, archived ones included. At most the limit `places_per_organization` of each exist.
--
-- Refuses: 404 organization_not_found, 403 forbidden.

create or replace function organizations.list_places(organization_id uuid)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_organization organizations.organizations := events.require_organization(
        list_places.organization_id, variadic enum_range(null::organizations.member_role)
    );
begin
    return jsonb_build_object(
        'locations', (
            select coalesce(jsonb_agg(to_jsonb(l) - 'calendar_changes' order by l.name, l.id), '[]')
            from organizations.locations as l
            where l.organization_id = the_organization.id
        ),
        'rooms', (
            select coalesce(jsonb_agg(to_jsonb(r) order by r.name, r.id), '[]')
            from organizations.rooms as r
            where r.organization_id = the_organization.id
        ),
        'instructors', (
            select coalesce(jsonb_agg(to_jsonb(i) - 'calendar_changes' order by i.name, i.id), '[]')
            from organizations.instructors as i
            where i.organization_id = the_organization.id
        ),
        'resources', (
            select coalesce(jsonb_agg(to_jsonb(r) order by r.name, r.id), '[]')
            from organizations.resources as r
            where r.organization_id = the_organization.id
        )
    );
end;
$$;

comment on function organizations.list_places(uuid) is
'Return all locations, rooms, instructors and resources of an organization, by name.';

grant execute on function organizations.list_places(uuid) to authenticated, service_role;
