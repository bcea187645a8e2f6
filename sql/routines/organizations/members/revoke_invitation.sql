-- organizations.revoke_invitation: end a pending invitation, whose codes stop working at once.
--
-- For owners and admins, within organizations.may_manage. Locks as organizations.require_invitation does. Repeating it
-- changes nothing.
--
-- Refuses: 403 forbidden, 404 invitation_not_found, 409 invitation_closed.

create or replace function organizations.revoke_invitation(invitation_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_invitation organizations.invitations := organizations.require_invitation(revoke_invitation.invitation_id);
begin
    if the_invitation.status = 'revoked' then
        return;
    end if;
    if the_invitation.status <> 'pending' then
        raise exception using errcode = 'PT409', message = 'invitation_closed',
            detail = jsonb_build_object('status', the_invitation.status)::text;
    end if;
    perform organizations.end_invitation(the_invitation, 'revoked');
end;
$$;

comment on function organizations.revoke_invitation(uuid) is
'End a pending invitation, whose codes stop working at once.';

grant execute on function organizations.revoke_invitation(uuid) to authenticated, service_role;
