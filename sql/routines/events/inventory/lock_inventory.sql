-- events.lock_inventory: take the one lock that serialises what happens to an event's seats.
--
-- First in every routine that touches bookings, holds or waitlist entries that exist already. A new booking takes it
-- last, by counting; it holds no other lock that anybody waits for.
--
-- Noted for the rest of the transaction, so that it does not stand in line for what it has: see events.queue_for_event.
--
-- Refuses: 404 event_not_found.

create or replace function events.lock_inventory(event_id uuid)
returns events.inventory
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_inventory events.inventory;
begin
    perform set_config('events.inventory_locked', 'yes', true);

    select i.* into the_inventory
    from events.inventory as i
    where i.event_id = lock_inventory.event_id
    for no key update;

    if not found then
        raise exception using errcode = 'PT404', message = 'event_not_found';
    end if;
    return the_inventory;
end;
$$;

comment on function events.lock_inventory(uuid) is 'Lock an event''s seats until the transaction ends.';
