-- organizations.save_resource: create a resource, or change or archive one.
--
-- Without an id it creates a resource. `changes` has columns of organizations.resources by name, and `archived`. A
-- missing member keeps its value. Only one event can use it at a time. For editors, admins and owners, and for the
-- service. Records the change. Locks the organization's row. Returns the resource.
--
-- Refuses: 404 organization_not_found, 404 resource_not_found, 403 forbidden, 409 too_many_places, 422 invalid_request.

create or replace function organizations.save_resource(
    organization_id uuid, changes jsonb, resource_id uuid default null
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_organization organizations.organizations := organizations.lock_organization(
        save_resource.organization_id, 'editor', 'admin', 'owner'
    );
    former organizations.resources;
    edited organizations.resources;
begin
    if save_resource.resource_id is null then
        perform organizations.limit_places(
            (select count(*) from organizations.resources as r where r.organization_id = the_organization.id)
        );
        edited := jsonb_populate_record(
            null::organizations.resources,
            jsonb_strip_nulls(changes) || jsonb_build_object(
                'id', ops.uuid_v7(), 'organization_id', the_organization.id, 'created_at', statement_timestamp()
            )
        );
        insert into organizations.resources
        select edited.*;
        perform organizations.record_change(
            the_organization.id, 'resource.created', edited.id, null, to_jsonb(edited)
        );
        return to_jsonb(edited);
    end if;

    select r.* into former
    from organizations.resources as r
    where r.id = save_resource.resource_id and r.organization_id = the_organization.id;

    if not found then
        raise exception using errcode = 'PT404', message = 'resource_not_found';
    end if;

    edited := jsonb_populate_record(former, changes);
    update organizations.resources as r
    set
        name = edited.name,
        description = edited.description,
        archived_at = case
            when (changes ->> 'archived')::boolean then coalesce(former.archived_at, statement_timestamp())
            when not (changes ->> 'archived')::boolean then null
            else former.archived_at
        end
    where r.id = former.id
    returning r.* into edited;

    perform organizations.record_change(
        the_organization.id, 'resource.changed', former.id, to_jsonb(former), to_jsonb(edited)
    );
    return to_jsonb(edited);
end;
$$;

comment on function organizations.save_resource(uuid, jsonb, uuid) is
'Create a resource, or change or archive one. Returns the resource.';

grant execute on function organizations.save_resource(uuid, jsonb, uuid) to authenticated, service_role;
