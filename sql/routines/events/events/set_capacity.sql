-- events.set_capacity: give an event a capacity, and offer freed seats to its waitlist.
--
-- Null means no limit. Locks the event's inventory. Called by routines that have checked the caller's permission.
--
-- Refuses: 409 capacity_below_sold.

create or replace function events.set_capacity(event_id uuid, capacity integer)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    select events.set_capacities(array[set_capacity.event_id], set_capacity.capacity);
$$;

comment on function events.set_capacity(
    uuid, integer
) is 'Give an event a capacity, never below its sold and held seats.';
