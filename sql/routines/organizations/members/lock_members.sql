-- organizations.lock_members: lock the memberships of owners, admins and these people, in the order of their ids.
--
-- users.erase_profile locks in the same order. Callers then check the rights of the caller again, because a wait makes
-- earlier reads stale. Internal: runs with the rights of the routine that calls it.

create or replace function organizations.lock_members(organization_id uuid, variadic people uuid[])
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform
    from organizations.memberships as m
    where
        m.organization_id = lock_members.organization_id
        and (m.role in ('owner', 'admin') or m.user_id = any (lock_members.people))
    order by m.organization_id, m.user_id
    for update;
end;
$$;

comment on function organizations.lock_members(uuid, uuid[]) is
'Lock the memberships of owners and admins, and of these people, in the order of their ids.';
