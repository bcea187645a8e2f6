-- events.list_changed_capacity: write an event's listing again, because its seats became limited or unlimited.
--
-- A row trigger after an update that names the capacity. Bookings do not name it, so they never run it.

create or replace function events.list_changed_capacity()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform events.refresh_listings(array[new.event_id]);
    return null;
end;
$$;

create or replace trigger list_changed_capacity after update of capacity on events.inventory
for each row when ((old.capacity is null) <> (new.capacity is null))
execute function events.list_changed_capacity();
