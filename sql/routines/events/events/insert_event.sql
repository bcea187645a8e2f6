-- events.insert_event: insert a new event with its seats, for routines that create single events.
--
-- The event has no series. Its times must be in the future. Internal: called by routines that have checked the caller,
-- the references and the organization's limits.
--
-- Refuses: 409 double_booked, 409 place_closed, 422 invalid_request.

create or replace function events.insert_event(event events.events, capacity integer)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_event events.events := insert_event.event;
begin
    perform events.check_times(the_event.starts_at, the_event.ends_at);

    insert into events.events (
        id, starts_at, ends_at, organization_id, title, description, category, language, time_zone, price_cents,
        currency, location_id, room_id, instructor_id, resource_ids, policy, visibility, status
    )
    values (
        the_event.id, the_event.starts_at, the_event.ends_at, the_event.organization_id, the_event.title,
        the_event.description, the_event.category, the_event.language, the_event.time_zone, the_event.price_cents,
        the_event.currency, the_event.location_id, the_event.room_id, the_event.instructor_id, the_event.resource_ids,
        the_event.policy, the_event.visibility, the_event.status
    );
    insert into events.inventory (event_id, capacity) values (the_event.id, insert_event.capacity);
end;
$$;

comment on function events.insert_event(events.events, integer) is
'Insert a new event with its seats, for routines that create single events.';
