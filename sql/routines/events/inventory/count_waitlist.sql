-- events.count_waitlist: keep an event's counters equal to its waitlist.
--
-- Changes and deletions are counted per statement, so a thousand rows of one event change its counters once. Events are
-- counted in id order, so that two statements do not deadlock. Insertions are counted per row: a new entry is nearly
-- always one row, and a transition table costs a fifth of a booking. A trigger counts every write, whichever statement
-- makes it.
--
-- Refuses: as events.adjust_inventory does.

create or replace function events.count_waitlist()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    change record;
    changed boolean;
begin
    if tg_op = 'INSERT' then
        if new.status in ('waiting') then
            changed := events.adjust_inventory(new.event_id, 0, 0, 1, 0, new.customer_id);
        end if;
    elsif tg_op = 'DELETE' then
        for change in
            select n.event_id, -sum(1) as amount
            from old_rows as n
            where n.status in ('waiting')
            group by n.event_id
            order by n.event_id
        loop
            changed := events.adjust_inventory(change.event_id, 0, 0, change.amount::integer, 0, null);
        end loop;
    else
        for change in
            select c.event_id, sum(c.amount) as amount
            from (
                select n.event_id, 1 as amount from new_rows as n where n.status in ('waiting')
                union all
                select n.event_id, -1 from old_rows as n where n.status in ('waiting')
            ) as c
            group by c.event_id
            having sum(c.amount) <> 0
            order by c.event_id
        loop
            changed := events.adjust_inventory(change.event_id, 0, 0, change.amount::integer, 0, null);
        end loop;
    end if;
    return null;
end;
$$;

create or replace trigger count_inserted after insert on events.waitlist_entries
for each row execute function events.count_waitlist();

create or replace trigger count_updated after update on events.waitlist_entries
referencing old table as old_rows new table as new_rows
for each statement execute function events.count_waitlist();

create or replace trigger count_deleted after delete on events.waitlist_entries
referencing old table as old_rows
for each statement execute function events.count_waitlist();
