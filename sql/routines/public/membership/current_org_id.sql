-- public.current_org_id: return the organization that the caller acts for, as the token claims it.
--
-- Null unless the caller is a member and was not erased: the claim alone gives no rights.

create or replace function public.current_org_id()
returns uuid
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select m.organization_id
    from organizations.memberships as m
    inner join users.profiles as p on p.id = m.user_id and p.erased_at is null
    where m.user_id = ops.caller_id() and m.organization_id = nullif(ops.claims() ->> 'org_id', '')::uuid;
$$;

comment on function public.current_org_id() is
'Return the organization that the caller acts for, as the token claims it.';
