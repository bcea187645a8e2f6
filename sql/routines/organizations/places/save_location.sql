-- organizations.save_location: create a location, or change or archive one.
--
-- Without an id it creates a location. `changes` has columns of organizations.locations by name, and `archived`. A
-- missing member keeps its value. Country and time zone default to those of the organization. For editors, admins and
-- owners, and for the service. Records the change. Locks the organization's row. Returns the location.
--
-- Refuses: 404 organization_not_found, 404 location_not_found, 403 forbidden, 409 too_many_places, 422 invalid_request.

create or replace function organizations.save_location(
    organization_id uuid, changes jsonb, location_id uuid default null
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_organization organizations.organizations := organizations.lock_organization(
        save_location.organization_id, 'editor', 'admin', 'owner'
    );
    former organizations.locations;
    edited organizations.locations;
begin
    perform organizations.check_country(changes);
    perform events.check_references(
        the_organization.id, jsonb_build_object('time_zone', changes ->> 'time_zone')
    );
    if save_location.location_id is null then
        perform organizations.limit_places(
            (select count(*) from organizations.locations as r where r.organization_id = the_organization.id)
        );
        edited := jsonb_populate_record(
            null::organizations.locations,
            jsonb_build_object(
                'country', the_organization.country, 'time_zone', the_organization.time_zone
            ) || jsonb_strip_nulls(changes)
        );
        if (edited.latitude is null) <> (edited.longitude is null) then
            raise exception using errcode = 'PT422', message = 'invalid_request',
                detail = jsonb_build_object('detail', 'Send `latitude` and `longitude` together.')::text;
        end if;
        insert into organizations.locations as r (
            organization_id, name, address, city, country, time_zone, capacity, latitude, longitude, accessibility,
            directions
        )
        values (
            the_organization.id, edited.name, edited.address, edited.city, edited.country, edited.time_zone,
            edited.capacity, edited.latitude, edited.longitude, edited.accessibility, edited.directions
        )
        returning r.* into edited;
        perform organizations.record_change(
            the_organization.id, 'location.created', edited.id, null, to_jsonb(edited) - 'calendar_changes'
        );
        return to_jsonb(edited) - 'calendar_changes';
    end if;

    select r.* into former
    from organizations.locations as r
    where r.id = save_location.location_id and r.organization_id = the_organization.id;

    if not found then
        raise exception using errcode = 'PT404', message = 'location_not_found';
    end if;

    edited := jsonb_populate_record(former, changes);
    if (edited.latitude is null) <> (edited.longitude is null) then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object('detail', 'Send `latitude` and `longitude` together.')::text;
    end if;
    update organizations.locations as r
    set
        name = edited.name,
        address = edited.address,
        city = edited.city,
        country = edited.country,
        time_zone = edited.time_zone,
        capacity = edited.capacity,
        latitude = edited.latitude,
        longitude = edited.longitude,
        accessibility = edited.accessibility,
        directions = edited.directions,
        archived_at = case
            when (changes ->> 'archived')::boolean then coalesce(former.archived_at, statement_timestamp())
            when not (changes ->> 'archived')::boolean then null
            else former.archived_at
        end
    where r.id = former.id
    returning r.* into edited;

    perform organizations.record_change(
        the_organization.id, 'location.changed', former.id,
        to_jsonb(former) - 'calendar_changes', to_jsonb(edited) - 'calendar_changes'
    );
    return to_jsonb(edited) - 'calendar_changes';
end;
$$;

comment on function organizations.save_location(uuid, jsonb, uuid) is
'Create a location, or change or archive one. Returns the location.';

grant execute on function organizations.save_location(uuid, jsonb, uuid) to authenticated, service_role;
