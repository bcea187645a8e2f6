-- organizations.change_member_role: give a member another role.
--
-- For owners and admins, within organizations.may_manage. Owners may also give up their own ownership, while there is
-- another owner. Locks the memberships of owners, admins and the member. Repeating it changes nothing.
--
-- Refuses: 403 forbidden, 404 organization_not_found, 404 member_not_found, 409 last_owner.

create or replace function organizations.change_member_role(
    organization_id uuid, user_id uuid, role organizations.member_role
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_member organizations.memberships;
begin
    perform events.require_organization(change_member_role.organization_id, 'admin', 'owner');
    perform organizations.lock_members(change_member_role.organization_id, change_member_role.user_id);
    perform events.require_organization(change_member_role.organization_id, 'admin', 'owner');

    select m.* into the_member
    from organizations.memberships as m
    where
        m.organization_id = change_member_role.organization_id
        and m.user_id = change_member_role.user_id;
    if not found then
        raise exception using errcode = 'PT404', message = 'member_not_found';
    end if;

    if the_member.role is distinct from change_member_role.role then
        if (the_member.role = 'owner' and the_member.user_id = ops.caller_id()) is not true then
            perform organizations.require_manageable(the_member.organization_id, the_member.role);
        end if;
        perform organizations.require_manageable(the_member.organization_id, change_member_role.role);
        perform organizations.end_offers(the_member.organization_id, the_member.user_id);

        update organizations.memberships as m
        set role = change_member_role.role
        where
            m.organization_id = change_member_role.organization_id
            and m.user_id = change_member_role.user_id
        returning m.* into the_member;
    end if;

    return to_jsonb(the_member);
end;
$$;

comment on function organizations.change_member_role(uuid, uuid, organizations.member_role) is
'Give a member another role, as an owner or admin.';

grant execute on function organizations.change_member_role(uuid, uuid, organizations.member_role)
to authenticated, service_role;
