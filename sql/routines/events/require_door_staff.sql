-- events.require_door_staff: refuse all who may not see who comes to an event.
--
-- See events.is_door_staff.
--
-- Refuses: 404 event_not_found, also to callers who may not know of the event; 403 forbidden.

create or replace function events.require_door_staff(event_id uuid)
returns void
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform events.require_staff(require_door_staff.event_id, 'instructor', 'front_desk', 'editor', 'admin', 'owner');

    if not events.is_door_staff(require_door_staff.event_id) then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object('detail', 'An instructor sees this of the events that they lead.')::text;
    end if;
end;
$$;

comment on function events.require_door_staff(uuid) is 'Refuse all who may not see who comes to an event.';
