-- events.lock_people: take the locks that serialise what people take: seats, holds and waitlist entries.
--
-- Before any event's inventory, and in the order of their ids: see docs/architecture.md. Whoever waits for a person
-- then keeps no event from others. Held until the transaction ends; null is nobody.
--
-- Limits of a person count rows of many events, which no event's lock protects: two transactions that count before
-- either commits would both pass (write skew).

create or replace function events.lock_people(variadic people uuid[])
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    person_id uuid;
begin
    for person_id in
        select distinct p.id
        from unnest(lock_people.people) as p (id)
        where p.id is not null
        order by p.id
    loop
        -- Another seed than that of events.take_turn, so that a person and an event do not share a lock.
        perform pg_advisory_xact_lock(uuid_hash_extended(person_id, 1));
    end loop;
end;
$$;

comment on function events.lock_people(uuid[]) is
'Lock what these people take, until the transaction ends. Before any event''s inventory.';
