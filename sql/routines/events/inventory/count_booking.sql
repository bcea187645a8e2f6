-- events.count_booking: count a new booking.
--
-- Insertions are counted by row: a new booking is nearly always one row, and a statement's table of new rows costs as
-- much as the booking. What nearly every one of them needs is done here, in one short statement, for rivals for the
-- event's row wait meanwhile: the seats are added where nobody waits for them and they are to be had for certain. Where
-- they are not, nothing is changed, and events.adjust_inventory, whose rule it is, decides and refuses.
--
-- Runs with the rights of whoever writes: the routines that book and the owner, nobody else can.
--
-- Refuses: what events.adjust_inventory refuses.

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
