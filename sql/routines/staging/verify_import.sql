-- staging.verify_import: check that an import lost no row, and raise if it did.
--
-- Each row must have one outcome, each converted row must exist, and the seats of each event must add up. Raises
-- import_does_not_add_up, which rolls back the import.

create or replace function staging.verify_import(counts jsonb)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_file record;
    lost bigint;
begin
    for the_file in
        select f.key as name, f.value as counts from jsonb_each(verify_import.counts) as f
    loop
        if
            (the_file.counts ->> 'read')::bigint <> (the_file.counts ->> 'converted')::bigint
            + (the_file.counts ->> 'unchanged')::bigint + (the_file.counts ->> 'rejected')::bigint
        then
            raise exception 'import_does_not_add_up'
                using detail = format('%s: %s', the_file.name, the_file.counts);
        end if;
    end loop;

    analyze staging.outcomes;

    select count(*) into lost
    from (
        select o.file, o.legacy_id::uuid as id
        from staging.outcomes as o
        where o.outcome <> 'rejected'
    ) as o
    left join events.series as s on o.file = 'class_templates' and s.id = o.id
    left join events.inventory as i on o.file = 'class_instances' and i.event_id = o.id
    left join events.bookings as b on o.file = 'class_registrations' and b.id = o.id
    left join events.waitlist_entries as w on o.file = 'waitlists' and w.id = o.id
    where coalesce(s.id, i.event_id, b.id, w.id) is null;

    if lost > 0 then
        raise exception 'import_does_not_add_up'
            using detail = format('%s rows are said to be there and are not', lost);
    end if;

    select count(*) into lost
    from ops.count_drift(array(
        select i.event_id
        from events.inventory as i
        inner join (
            select o.legacy_id::uuid as id
            from staging.outcomes as o
            where o.file = 'class_instances' and o.outcome <> 'rejected'
        ) as o on o.id = i.event_id
    ));

    if lost > 0 then
        raise exception 'import_does_not_add_up' using detail = format('the seats of %s events do not add up', lost);
    end if;
end;
$$;

comment on function staging.verify_import(jsonb) is 'Check that an import lost no row, and raise if it did.';
