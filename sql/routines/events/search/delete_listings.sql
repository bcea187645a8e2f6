-- events.delete_listings: delete the listings of deleted events, once for a statement.
--
-- A trigger after each deletion of events.

create or replace function events.delete_listings()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from events.listings as l
    where l.event_id in (select o.id from old_events as o);
    delete from events.scarce_listings as s
    where s.event_id in (select o.id from old_events as o);
    return null;
end;
$$;

create or replace trigger delete_listings after delete on events.events
referencing old table as old_events
for each statement execute function events.delete_listings();
