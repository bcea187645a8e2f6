-- events.refresh_changed_listings: write the listings of updated events, once for a statement.
--
-- A trigger after each update of events. Rows whose listed columns did not change are skipped. A moved event counts as
-- changed, whatever its partition is. A shift to another partition is no move (ops.is_partition_shift).

create or replace function events.refresh_changed_listings()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    changed uuid[];
begin
    select array_agg(n.id) into changed
    from new_events as n
    inner join old_events as o on o.id = n.id
    where
        not ops.is_partition_shift(o.starts_at, n.starts_at)
        and (
            n.starts_at, n.ends_at, n.organization_id, n.series_id, n.location_id, n.instructor_id, n.title, n.category,
            n.description, n.language, n.search_config, n.time_zone, n.price_cents, n.currency, n.visibility, n.status
        ) is distinct from (
            o.starts_at, o.ends_at, o.organization_id, o.series_id, o.location_id, o.instructor_id, o.title, o.category,
            o.description, o.language, o.search_config, o.time_zone, o.price_cents, o.currency, o.visibility, o.status
        );

    if changed is not null then
        perform events.refresh_listings(changed);
    end if;
    return null;
end;
$$;

create or replace trigger refresh_changed_listings after update on events.events
referencing old table as old_events new table as new_events
for each statement execute function events.refresh_changed_listings();
