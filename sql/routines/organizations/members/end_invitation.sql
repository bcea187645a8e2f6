-- organizations.end_invitation: give a locked pending invitation its final status, delete its codes, and record it.
--
-- `accepted_by` is the new member of an accepted invitation. Internal: under the locks of the routine that calls it.

create or replace function organizations.end_invitation(
    invitation organizations.invitations, status text, accepted_by uuid default null
)
returns organizations.invitations
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    ended organizations.invitations;
begin
    update organizations.invitations as i
    set
        status = end_invitation.status,
        accepted_by = end_invitation.accepted_by,
        ended_at = statement_timestamp()
    where i.id = (end_invitation.invitation).id
    returning i.* into ended;

    -- An accepted code stays, so that a repeated request gets the same response.
    delete from organizations.invitation_codes as c
    where c.invitation_id = ended.id and ended.status <> 'accepted';

    perform organizations.record_invitation(end_invitation.status, end_invitation.invitation, ended);
    return ended;
end;
$$;

comment on function organizations.end_invitation(organizations.invitations, text, uuid) is
'Give a locked pending invitation its final status, delete its codes, and record it.';
