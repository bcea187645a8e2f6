-- events.lock_inventory: lock an event's inventory row, which serializes all changes of its seats.
--
-- Every routine that changes existing bookings, holds or waitlist entries takes this lock first. It decides by facts
-- that it reads afterwards. Only the fast path of a booking locks the row last, when the booking is counted.
--
-- Marks the transaction, so that it does not queue for an event that it has locked (events.queue_for_event).
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

comment on function events.lock_inventory(uuid) is 'Lock an event''s inventory row until the transaction ends.';
