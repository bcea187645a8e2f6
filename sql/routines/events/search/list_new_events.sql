-- events.list_new_events: write the listings of events whose inventory was created, once for a statement.
--
-- A trigger after each insert of inventory, which is the last part of a new event.

create or replace function events.list_new_events()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform events.refresh_listings(array(select n.event_id from new_inventory as n));
    return null;
end;
$$;

create or replace trigger list_new_events after insert on events.inventory
referencing new table as new_inventory
for each statement execute function events.list_new_events();
