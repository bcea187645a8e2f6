-- organizations.save_room: create a room, or change or archive one.
--
-- Without an id it creates a room. `changes` has columns of organizations.rooms by name, and `archived`. A missing
-- member keeps its value. The location is one of the organization, and does not change. For editors, admins and owners,
-- and for the service. Records the change. Locks the organization's row. Returns the room.
--
-- Refuses: 404 organization_not_found, 404 room_not_found, 403 forbidden, 409 too_many_places, 422 invalid_request.

create or replace function organizations.save_room(
    organization_id uuid, changes jsonb, room_id uuid default null
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_organization organizations.organizations := organizations.lock_organization(
        save_room.organization_id, 'editor', 'admin', 'owner'
    );
    former organizations.rooms;
    edited organizations.rooms;
begin
    if save_room.room_id is null and not exists (
        select
        from organizations.locations as l
        where
            l.id = (changes ->> 'location_id')::uuid
            and l.organization_id = the_organization.id
            and l.archived_at is null
    ) then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', 'The request is not valid. Correct the places in `errors`, and send it again.',
                'errors', jsonb_build_array(
                    jsonb_build_object(
                        'path', array['body', 'location_id'], 'kind', 'unknown', 'message', 'There is no such location, or it is archived.'
                    )
                )
            )::text;
    end if;

    if save_room.room_id is null then
        perform organizations.limit_places(
            (select count(*) from organizations.rooms as r where r.organization_id = the_organization.id)
        );
        edited := jsonb_populate_record(
            null::organizations.rooms,
            jsonb_strip_nulls(changes) || jsonb_build_object(
                'id', ops.uuid_v7(), 'organization_id', the_organization.id, 'created_at', statement_timestamp()
            )
        );
        insert into organizations.rooms
        select edited.*;
        perform organizations.record_change(
            the_organization.id, 'room.created', edited.id, null, to_jsonb(edited)
        );
        return to_jsonb(edited);
    end if;

    select r.* into former
    from organizations.rooms as r
    where r.id = save_room.room_id and r.organization_id = the_organization.id;

    if not found then
        raise exception using errcode = 'PT404', message = 'room_not_found';
    end if;

    edited := jsonb_populate_record(former, changes);
    update organizations.rooms as r
    set
        name = edited.name,
        capacity = edited.capacity,
        accessibility = edited.accessibility,
        archived_at = case
            when (changes ->> 'archived')::boolean then coalesce(former.archived_at, statement_timestamp())
            when not (changes ->> 'archived')::boolean then null
            else former.archived_at
        end
    where r.id = former.id
    returning r.* into edited;

    perform organizations.record_change(
        the_organization.id, 'room.changed', former.id, to_jsonb(former), to_jsonb(edited)
    );
    return to_jsonb(edited);
end;
$$;

comment on function organizations.save_room(uuid, jsonb, uuid) is
'Create a room, or change or archive one. Returns the room.';

grant execute on function organizations.save_room(uuid, jsonb, uuid) to authenticated, service_role;
