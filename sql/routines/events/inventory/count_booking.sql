-- events.count_booking: count a new booking in its event's inventory.
--
-- Insertions are counted per row: a new booking is nearly always one row, and a transition table costs as much as the
-- booking. One short statement adds the seats if nobody waits for them and they are certainly free, because concurrent
-- bookings of the event wait meanwhile. Otherwise it changes nothing, and events.adjust_inventory, which owns the rule,
-- decides and refuses.
--
-- Runs with the rights of the writer: only the booking routines and the owner can write bookings.
--
-- Refuses: as events.adjust_inventory does.

create or replace function events.count_booking()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    waited boolean;
begin
    if new.status in ('confirmed', 'attended', 'no_show') then
        if new.booked_by = new.customer_id and new.hold_id is null then
            waited := events.queue_for_event(new.event_id);
        end if;

        update events.inventory as i
        set taken = i.taken + new.seats
        where
            i.event_id = new.event_id
            and (i.closed or i.waitlisted > 0 or i.taken + i.held + new.seats > i.capacity) is not true;

        if not found then
            perform events.adjust_inventory(new.event_id, new.seats, 0, 0);
        end if;
    end if;
    return null;
end;
$$;

create or replace trigger count_inserted after insert on events.bookings
for each row execute function events.count_booking();
