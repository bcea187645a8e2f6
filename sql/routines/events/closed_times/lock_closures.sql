-- events.lock_closures: let changes of times and places at organizations take turns with their closures.
--
-- An advisory lock for each organization, in id order, until the transaction ends: shared for changes of events,
-- exclusive for a new closure. So an event never enters a closed time unseen. It comes before the inventories, because
-- a closure holds it while it locks those of its events.

create or replace function events.lock_closures(organization_ids uuid[], exclusive boolean default false)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if lock_closures.exclusive then
        perform pg_advisory_xact_lock(uuid_hash_extended(o.id, 4))
        from (select distinct u.id from unnest(lock_closures.organization_ids) as u (id) order by u.id) as o;
    else
        perform pg_advisory_xact_lock_shared(uuid_hash_extended(o.id, 4))
        from (select distinct u.id from unnest(lock_closures.organization_ids) as u (id) order by u.id) as o;
    end if;
end;
$$;

comment on function events.lock_closures(uuid[], boolean) is
'Let changes of times and places at organizations take turns with their closures.';
