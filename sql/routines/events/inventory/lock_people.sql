-- events.lock_people: lock several people in the order of their ids, so that two callers do not deadlock.
--
-- See events.lock_person. Internal: runs with the rights of the routine that calls it.

create or replace function events.lock_people(variadic people uuid[])
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    person_id uuid;
    locked boolean := true;
begin
    for person_id in
        select distinct p.id
        from unnest(lock_people.people) as p (id)
        order by p.id
    loop
        locked := events.lock_person(person_id);
    end loop;
    return locked;
end;
$$;

comment on function events.lock_people(uuid[]) is
'Lock several people in the order of their ids, until the transaction ends. Before any event''s inventory.';
