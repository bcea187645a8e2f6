-- organizations.orgs_as: return the organizations in which the caller has one of these roles.
--
-- An erased person has no role, even if a membership still exists.

create or replace function organizations.orgs_as(variadic roles organizations.member_role[])
returns setof uuid
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select m.organization_id
    from organizations.memberships as m
    inner join users.profiles as p on p.id = m.user_id and p.erased_at is null
    where m.user_id = ops.caller_id() and m.role = any (orgs_as.roles);
$$;

comment on function organizations.orgs_as(organizations.member_role[]) is
'Return the organizations in which the caller has one of these roles.';
