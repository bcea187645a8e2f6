-- events.count_booking_changes: count the changes of a booking's status and seats, for SEQUENCE of calendars.
--
-- A row trigger, before each such update. The number of a booking that was cancelled before the counter is in seconds
-- (events.booking_calendar_entries); its next number is higher.

create or replace function events.count_booking_changes()
returns trigger
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
    the_created_at timestamptz;
begin
    new.sequence := old.sequence + 1;
    if old.sequence = 0 and old.cancelled_at is not null then
        select e.created_at into the_created_at
        from events.terms as t
        inner join events.events as e on e.id = t.event_id and e.starts_at = t.starts_at
        where t.event_id = old.event_id;

        new.sequence := greatest(floor(extract(epoch from old.cancelled_at - the_created_at))::bigint + 1, 0) + 1;
    end if;
    return new;
end;
$$;

create or replace trigger count_changes before update of status, seats on events.bookings
for each row when ((old.status, old.seats) is distinct from (new.status, new.seats))
execute function events.count_booking_changes();
