-- events.count_calendar_changes: count the changes of an organization, a place or an instructor in calendar entries.
--
-- A row trigger, before an update of a name or an address. events.calendar_entries adds the number to the SEQUENCE of
-- each entry that shows the text, so a rename writes one row, whatever the number of events.

create or replace function events.count_calendar_changes()
returns trigger
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
    new.calendar_changes := old.calendar_changes + 1;
    return new;
end;
$$;

create or replace trigger count_calendar_changes before update of name on organizations.organizations
for each row when (old.name is distinct from new.name)
execute function events.count_calendar_changes();

create or replace trigger count_calendar_changes before update of name, address, city on organizations.locations
for each row when ((old.name, old.address, old.city) is distinct from (new.name, new.address, new.city))
execute function events.count_calendar_changes();

create or replace trigger count_calendar_changes before update of name on organizations.instructors
for each row when (old.name is distinct from new.name)
execute function events.count_calendar_changes();
