-- events.mark_scarce: keep events.scarce_listings equal to the counters of seats.
--
-- A row trigger after an update of inventory, under the lock of its row. It writes only when an event becomes filling
-- or full, or no longer is, so most bookings write nothing here. The comparison is not in the trigger's condition,
-- because each statement would plan it.

create or replace function events.mark_scarce()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_scarcity integer := events.scarcity(new.capacity, new.taken, new.held, new.waitlisted);
begin
    if the_scarcity = events.scarcity(old.capacity, old.taken, old.held, old.waitlisted) then
        return null;
    end if;

    if the_scarcity = 0 then
        delete from events.scarce_listings as s
        where s.event_id = new.event_id;
    else
        insert into events.scarce_listings as s (event_id, starts_at, scarcity)
        select l.event_id, l.starts_at, the_scarcity
        from events.listings as l
        where l.event_id = new.event_id
        on conflict (event_id) do update set scarcity = excluded.scarcity;
    end if;
    return null;
end;
$$;

create or replace trigger mark_scarce after update on events.inventory
for each row execute function events.mark_scarce();
