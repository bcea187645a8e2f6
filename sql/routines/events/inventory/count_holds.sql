-- events.count_holds: keep an event's counters equal to its holds.
--
-- Changes and deletions are counted per statement, so a thousand rows of one event change its counters once. Events are
-- counted in id order, so that two statements do not deadlock. Insertions are counted per row: a new hold is nearly
-- always one row, and a transition table costs as much as the row. A trigger counts every write, whichever statement
-- makes it.
--
-- Seats that become free are set aside for the waitlist. Seats of a consumed hold are not, because the booking in the
-- same transaction takes them. Only the seats of offers come from those set aside.
--
-- Refuses: as events.adjust_inventory does.

create or replace function events.count_holds()
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
        if new.status in ('active') then
            changed := events.adjust_inventory(
                new.event_id, 0, new.seats, 0, case when new.purpose = 'offer' then -new.seats else 0 end,
                new.customer_id
            );
        end if;
    elsif tg_op = 'DELETE' then
        for change in
            select n.event_id, -sum(n.seats) as amount
            from old_rows as n
            where n.status in ('active')
            group by n.event_id
            order by n.event_id
        loop
            changed := events.adjust_inventory(
                change.event_id, 0, change.amount::integer, 0, -change.amount::integer, null
            );
        end loop;
    else
        for change in
            select
                c.event_id,
                sum(c.amount) as amount,
                least(
                    coalesce(sum(-c.amount) filter (where c.amount < 0 and c.status <> 'consumed'), 0),
                    greatest(-sum(c.amount), 0)
                ) as freed
            from (
                select
                    n.event_id,
                    n.status,
                    case when n.status in ('active') then n.seats else 0 end
                    - case when o.status in ('active') then o.seats else 0 end as amount
                from new_rows as n
                inner join old_rows as o on o.id = n.id
            ) as c
            group by c.event_id
            having sum(c.amount) <> 0
            order by c.event_id
        loop
            changed := events.adjust_inventory(
                change.event_id, 0, change.amount::integer, 0, change.freed::integer, null
            );
        end loop;
    end if;
    return null;
end;
$$;

create or replace trigger count_inserted after insert on events.holds
for each row execute function events.count_holds();

create or replace trigger count_updated after update on events.holds
referencing old table as old_rows new table as new_rows
for each statement execute function events.count_holds();

create or replace trigger count_deleted after delete on events.holds
referencing old table as old_rows
for each statement execute function events.count_holds();
