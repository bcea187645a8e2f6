-- organizations.may_manage: return whether the caller may give a role to members, change it and end it.
--
-- Owners manage every role but their own, and admins the roles below admin. So nobody gives more rights than they have,
-- and an admin cannot add or remove admins. Ownership changes only by consent (organizations.offer_ownership).
-- Never null. Locks nothing.

create or replace function organizations.may_manage(organization_id uuid, role organizations.member_role)
returns boolean
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(
        case
            when may_manage.role = 'owner' then false
            when may_manage.role = 'admin' then organizations.caller_is(may_manage.organization_id, 'owner')
            else organizations.caller_is(may_manage.organization_id, 'admin', 'owner')
        end,
        false
    );
$$;

comment on function organizations.may_manage(uuid, organizations.member_role) is
'Return whether the caller may give a role to members, change it and end it.';
