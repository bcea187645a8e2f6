-- organizations.remove_member: end the membership of another person. The caller's own ends by leave_organization.
--
-- For owners and admins, within organizations.may_manage. The rights of the member end with the commit, because every
-- request reads the membership. Locks the memberships of owners, admins and the member. A repeated call is refused with
-- 404.
--
-- Refuses: 403 forbidden, 404 organization_not_found, 404 member_not_found.

create or replace function organizations.remove_member(organization_id uuid, user_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_role organizations.member_role;
begin
    perform events.require_organization(remove_member.organization_id, 'admin', 'owner');
    perform organizations.lock_members(remove_member.organization_id, remove_member.user_id);
    perform events.require_organization(remove_member.organization_id, 'admin', 'owner');

    select m.role into the_role
    from organizations.memberships as m
    where m.organization_id = remove_member.organization_id and m.user_id = remove_member.user_id;
    if not found then
        raise exception using errcode = 'PT404', message = 'member_not_found';
    end if;

    perform organizations.require_manageable(remove_member.organization_id, the_role);
    perform organizations.end_offers(remove_member.organization_id, remove_member.user_id);

    delete from organizations.memberships as m
    where m.organization_id = remove_member.organization_id and m.user_id = remove_member.user_id;
end;
$$;

comment on function organizations.remove_member(uuid, uuid) is 'End the membership of another person.';

grant execute on function organizations.remove_member(uuid, uuid) to authenticated, service_role;
