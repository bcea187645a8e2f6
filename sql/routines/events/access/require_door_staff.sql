-- events.require_door_staff: return an event's terms, or refuse a caller who may not see its attendees.
--
-- The rule is events.is_door_staff.
--
-- Refuses: 404 event_not_found, also to callers who may not know of the event; 403 forbidden.

create or replace function events.require_door_staff(event_id uuid)
returns events.terms
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_terms events.terms := events.require_staff(
        require_door_staff.event_id, 'instructor', 'front_desk', 'editor', 'admin', 'owner'
    );
begin
    if not events.is_door_staff(require_door_staff.event_id) then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object('detail', 'An instructor may see this only for their own events.')::text;
    end if;
    return the_terms;
end;
$$;

comment on function events.require_door_staff(uuid) is
'Return an event''s terms, or refuse a caller who may not see its attendees.';
