-- events.count_event_changes: count the changes of an event, and keep its start on the clock of its time zone.
--
-- A row trigger, before each insert and update. A calendar program ignores an entry whose SEQUENCE has not grown, so
-- two changes in one second need two numbers. The number of an event from before the counter is in seconds
-- (events.calendar_entries); its next number is higher.
--
-- An entry also counts the changes of the names that it shows. An event that gets another place or instructor keeps the
-- number of the former one, because the new one may have changed less often.

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
    if ops.is_partition_shift(old.starts_at, new.starts_at) then
        return new;
    end if;

    new.sequence := greatest(old.sequence, ceil(extract(epoch from old.updated_at - old.created_at))::bigint) + 1;
    if
        (new.organization_id, new.location_id, new.instructor_id)
        is distinct from (old.organization_id, old.location_id, old.instructor_id)
    then
        new.sequence := new.sequence
        + events.count_named_changes(old.organization_id, old.location_id, old.instructor_id);
    end if;
    if (new.starts_at, new.time_zone) is distinct from (old.starts_at, old.time_zone) then
        new.local_start := new.starts_at at time zone new.time_zone;
    end if;
    return new;
end;
$$;

create or replace trigger count_changes before insert or update on events.events
for each row execute function events.count_event_changes();
