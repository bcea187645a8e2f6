-- events.refuse_closed_times: refuse events that are created in, or moved into, a closed time.
--
-- A statement trigger on events.events. Concerns events that are not over, as drafts or scheduled. A job, which has no
-- caller to refuse, may move events there (the setting events.report_double_bookings). ops.create_partition shifts rows
-- by a thousand years and back: these rows are skipped. Waits for closures of the organization. Its triggers come
-- before those of events.record_occupancies by name, because a closure takes the locks in this order.
--
-- Refuses: 409 place_closed, with the first closure and its times.

create or replace function events.refuse_closed_times()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    changed uuid[];
    the_closure events.closures;
begin
    if coalesce(current_setting('events.report_double_bookings', true), '') = 'yes' then
        return null;
    end if;

    if tg_op = 'INSERT' then
        changed := array(
            select n.id
            from new_rows as n
            where n.status in ('draft', 'scheduled') and n.ends_at > statement_timestamp()
        );
    else
        changed := array(
            select n.id
            from new_rows as n
            inner join old_rows as o on o.id = n.id
            where
                n.status in ('draft', 'scheduled')
                and n.ends_at > statement_timestamp()
                and not ops.is_partition_shift(o.starts_at, n.starts_at)
                and (n.starts_at, n.ends_at, n.location_id, n.room_id)
                is distinct from (o.starts_at, o.ends_at, o.location_id, o.room_id)
        );
    end if;
    if changed = '{}' then
        return null;
    end if;

    perform events.lock_closures(array(select n.organization_id from new_rows as n where n.id = any (changed)));
    -- A separate statement, so that it sees closures that committed while this waited.
    select c.* into the_closure
    from new_rows as n
    inner join events.closures as c
        on c.id = events.closure_of(n.organization_id, n.location_id, n.room_id, n.starts_at, n.ends_at)
    where n.id = any (changed)
    order by c.starts_at, c.id
    limit 1;

    if found then
        raise exception using errcode = 'PT409', message = 'place_closed',
            detail = jsonb_build_object(
                'closure_id', the_closure.id, 'starts_at', the_closure.starts_at, 'ends_at', the_closure.ends_at
            )::text;
    end if;
    return null;
end;
$$;

create or replace trigger closed_times_inserted after insert on events.events
referencing new table as new_rows
for each statement execute function events.refuse_closed_times();

create or replace trigger closed_times_updated after update on events.events
referencing old table as old_rows new table as new_rows
for each statement execute function events.refuse_closed_times();
