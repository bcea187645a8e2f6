-- events.lock_occupancies: serialize the changes of the rooms, instructors and resources in use at organizations.
--
-- An advisory lock for each organization, in id order, until the transaction ends. Comes after the inventories. Without
-- it, two transactions would both find a room free (write skew), and wait for each other at the constraint.

create or replace function events.lock_occupancies(organization_ids uuid[])
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform pg_advisory_xact_lock(uuid_hash_extended(o.id, 3))
    from (
        select distinct u.id
        from unnest(lock_occupancies.organization_ids) as u (id)
        order by u.id
    ) as o;
end;
$$;

comment on function events.lock_occupancies(uuid[]) is
'Serialize the changes of the rooms, instructors and resources in use at organizations.';
