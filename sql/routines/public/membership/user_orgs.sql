-- public.user_orgs: return the organizations that the caller is a member of.
--
-- An erased person is a member of none, even if a membership still exists.

create or replace function public.user_orgs()
returns setof uuid
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select m.organization_id
    from organizations.memberships as m
    inner join users.profiles as p on p.id = m.user_id and p.erased_at is null
    where m.user_id = ops.caller_id();
$$;

comment on function public.user_orgs() is 'Return the organizations that the caller is a member of.';
