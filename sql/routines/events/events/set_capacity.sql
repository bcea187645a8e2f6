-- events.set_capacity: give an event a capacity, null for no limit; offer what becomes free.
--
-- Locks the event's inventory. For the routines that have checked that the caller may.
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
) is 'Give an event a capacity, never below what is sold and held.';
