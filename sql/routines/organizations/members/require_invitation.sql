-- organizations.require_invitation: lock and return an invitation that the caller may send again or revoke.
--
-- For owners and admins of its organization, within organizations.may_manage. Locks the person, the organization's row
-- and the invitation, in the order of organizations.invite_member. The rights are read again after the wait. Internal.
--
-- Refuses: 403 forbidden; 404 invitation_not_found, also to callers who are no members of the organization.

create or replace function organizations.require_invitation(invitation_id uuid)
returns organizations.invitations
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_invitation organizations.invitations;
begin
    select i.* into the_invitation
    from organizations.invitations as i
    where i.id = require_invitation.invitation_id;

    if
        (
            ops.caller_is_service() or the_invitation.organization_id in (select public.user_orgs())
        ) is not true
        or the_invitation.id is null
    then
        raise exception using errcode = 'PT404', message = 'invitation_not_found';
    end if;
    perform events.require_organization(the_invitation.organization_id, 'admin', 'owner');

    perform events.lock_person(ops.caller_id());
    perform from organizations.organizations as o where o.id = the_invitation.organization_id for no key update;
    select i.* into the_invitation
    from organizations.invitations as i
    where i.id = require_invitation.invitation_id
    for no key update;
    if not found then
        raise exception using errcode = 'PT404', message = 'invitation_not_found';
    end if;

    perform organizations.require_manageable(the_invitation.organization_id, the_invitation.role);
    return the_invitation;
end;
$$;

comment on function organizations.require_invitation(uuid) is
'Lock and return an invitation that the caller may send again or revoke.';
