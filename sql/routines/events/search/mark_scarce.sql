-- events.mark_scarce: keep events.scarce_listings equal to the counters of seats.
--
-- A row trigger after an update of inventory, under the lock of its row. It writes only when an event becomes filling
-- or full, or no longer is, so most bookings write nothing here. The comparison is not in the trigger's condition,
-- because each statement would plan it.
--
-- Locks the listing against events.refresh_stale_listings, which skips it then. If another transaction is writing the
-- listing, this one copies the former lexemes, and queues the event, so that nothing waits.

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
        return null;
    end if;

    perform
    from events.listings as l
    where l.event_id = new.event_id
    for key share skip locked;
    if not found then
        insert into events.stale_listings (event_id)
        select l.event_id
        from events.listings as l
        where l.event_id = new.event_id;
    end if;

    insert into events.scarce_listings as s (event_id, starts_at, scarcity, lexemes)
    select l.event_id, l.starts_at, the_scarcity, l.lexemes || events.scarcity_facets(the_scarcity)
    from events.listings as l
    where l.event_id = new.event_id
    on conflict (event_id) do update
    set starts_at = excluded.starts_at, scarcity = excluded.scarcity, lexemes = excluded.lexemes;
    return null;
end;
$$;

create or replace trigger mark_scarce after update on events.inventory
for each row execute function events.mark_scarce();
