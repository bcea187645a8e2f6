-- events.count_event_changes: count the changes of an event, and keep its start on the clock of its time zone.
--
-- A row trigger, before each insert and update. A calendar program ignores an entry whose SEQUENCE has not grown, so
-- two changes in one second need two numbers. The number of an event from before the counter is in seconds
-- (events.calendar_entries); its next number is higher.

create or replace function events.count_event_changes()
returns trigger
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
    if tg_op = 'INSERT' then
        new.local_start := coalesce(new.local_start, new.starts_at at time zone new.time_zone);
        return new;
    end if;

    if old.local_start is null and new.local_start is not null then  -- events.realign_events fills the column
        return new;
    end if;
    -- ops.create_partition shifts rows by a thousand years and back, which is no change of the event.
    if abs(extract(epoch from new.starts_at - old.starts_at)) = 8766000 * 3600.0 then
        return new;
    end if;

    new.sequence := greatest(old.sequence, ceil(extract(epoch from old.updated_at - old.created_at))::bigint) + 1;
    if (new.starts_at, new.time_zone) is distinct from (old.starts_at, old.time_zone) then
        new.local_start := new.starts_at at time zone new.time_zone;
    end if;
    return new;
end;
$$;

create or replace trigger count_changes before insert or update on events.events
for each row execute function events.count_event_changes();
