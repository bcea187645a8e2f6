-- events.count_booking: count a new booking in its event's inventory.
--
-- Counts by row: a new booking is nearly always one row, and a transition table costs a fifth of a booking. A
-- customer's own booking first queues for the event (events.queue_for_event).
--
-- Runs with the rights of the writer: the booking routines or the owner.
--
-- Refuses: as events.adjust_inventory does.

create or replace function events.count_booking()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    done boolean;
begin
    if new.status in ('confirmed', 'attended', 'no_show') then
        if new.booked_by = new.customer_id and new.hold_id is null then
            done := events.queue_for_event(new.event_id);
        end if;
        done := events.adjust_inventory(new.event_id, new.seats, 0, 0, 0, new.customer_id);
    end if;
    return null;
end;
$$;

create or replace trigger count_inserted after insert on events.bookings
for each row execute function events.count_booking();
