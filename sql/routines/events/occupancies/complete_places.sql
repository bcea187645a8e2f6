-- events.complete_places: return changes of an event or a series with a location that fits its room.
--
-- A new room determines the location. A new location without a room ends the use of a room elsewhere. Null resources
-- become none. `former` is the row before the change; null for a new one. Called after events.check_references.
-- Internal.
--
-- Refuses: 422 invalid_request, when the room is at another location than the named one.

create or replace function events.complete_places(former jsonb, changes jsonb)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    completed jsonb := changes;
    the_location_id uuid;
begin
    if completed -> 'resource_ids' = 'null' then
        completed := completed || '{"resource_ids": []}';
    end if;

    if changes ->> 'room_id' is not null then
        select r.location_id into the_location_id
        from organizations.rooms as r
        where r.id = (changes ->> 'room_id')::uuid;

        if changes ->> 'location_id' is not null and (changes ->> 'location_id')::uuid <> the_location_id then
            raise exception using errcode = 'PT422', message = 'invalid_request',
                detail = jsonb_build_object(
                    'detail', 'The room is at another location. Omit `location_id`, or choose a room of this location.'
                )::text;
        end if;
        return completed || jsonb_build_object('location_id', the_location_id);
    end if;

    if
        changes ? 'location_id'
        and not changes ? 'room_id'
        and former ->> 'room_id' is not null
        and former ->> 'location_id' is distinct from changes ->> 'location_id'
    then
        return completed || '{"room_id": null}';
    end if;
    return completed;
end;
$$;

comment on function events.complete_places(jsonb, jsonb) is
'Return changes of an event or a series with a location that fits its room.';
