-- events.count_bookings: keep an event's counters equal to its bookings.
--
-- Changes and deletions are counted per statement, so a thousand rows of one event change its counters once. Events are
-- counted in id order, so that two statements do not deadlock. Insertions are counted per row, by events.count_booking.
-- A trigger counts every write, whichever statement makes it. Seats that become free are set aside for the waitlist.
--
-- Runs with the rights of the writer: only the booking routines and the owner can write bookings.
--
-- Refuses: as events.adjust_inventory does.

create or replace function events.count_bookings()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    change record;
    changed boolean;
begin
    if tg_op = 'DELETE' then
        for change in
            select n.event_id, -sum(n.seats) as amount
            from old_rows as n
            where n.status in ('confirmed', 'attended', 'no_show')
            group by n.event_id
            order by n.event_id
        loop
            changed := events.adjust_inventory(
                change.event_id, change.amount::integer, 0, 0, -change.amount::integer, null
            );
        end loop;
    else
        for change in
            select c.event_id, sum(c.amount) as amount
            from (
                select n.event_id, n.seats as amount
                from new_rows as n
                where n.status in ('confirmed', 'attended', 'no_show')
                union all
                select n.event_id, -n.seats from old_rows as n where n.status in ('confirmed', 'attended', 'no_show')
            ) as c
            group by c.event_id
            having sum(c.amount) <> 0
            order by c.event_id
        loop
            changed := events.adjust_inventory(
                change.event_id, change.amount::integer, 0, 0, greatest(-change.amount, 0)::integer, null
            );
        end loop;
    end if;
    return null;
end;
$$;

create or replace trigger count_updated after update on events.bookings
referencing old table as old_rows new table as new_rows
for each statement execute function events.count_bookings();

create or replace trigger count_deleted after delete on events.bookings
referencing old table as old_rows
for each statement execute function events.count_bookings();
