-- organizations.lock_walk_ins: take the advisory lock of an organization's walk-ins.
--
-- Two requests that enter people at once see each other's, so an address is entered once and limits hold. The seed
-- differs from those of a person's and an event's lock. Internal.

create or replace function organizations.lock_walk_ins(organization_id uuid)
returns void
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
    select pg_advisory_xact_lock(uuid_hash_extended(lock_walk_ins.organization_id, 4));
$$;

comment on function organizations.lock_walk_ins(uuid) is
'Take the advisory lock of an organization''s walk-ins until the transaction ends.';
