-- events.count_booking_changes: count the changes of a booking's status and seats, for SEQUENCE of calendars.
--
-- A row trigger, before each such update.

create or replace function events.count_booking_changes()
returns trigger
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
    new.sequence := old.sequence + 1;
    return new;
end;
$$;

create or replace trigger count_changes before update of status, seats on events.bookings
for each row when ((old.status, old.seats) is distinct from (new.status, new.seats))
execute function events.count_booking_changes();
