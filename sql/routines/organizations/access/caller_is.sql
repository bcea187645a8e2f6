-- organizations.caller_is: return whether the caller has one of these roles in the organization.
--
-- The service has them all. An erased person has none, even if a membership still exists. Never null.

create or replace function organizations.caller_is(organization_id uuid, variadic roles organizations.member_role[])
returns boolean
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return ops.caller_is_service() or exists (
        select
        from organizations.memberships as m
        inner join users.profiles as p on p.id = m.user_id and p.erased_at is null
        where
            m.user_id = ops.caller_id()
            and m.organization_id = caller_is.organization_id
            and m.role = any (caller_is.roles)
    );
end;
$$;

comment on function organizations.caller_is(uuid, organizations.member_role[]) is
'Return whether the caller has one of these roles in the organization.';
