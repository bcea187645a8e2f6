-- organizations.issue_invitation_code: store the hash of the code that an e-mail with an invitation contains.
--
-- The code is drawn when the e-mail is written, so it is in no table, queue or log. Returns whether the e-mail is still
-- wanted: not if the invitation was accepted, declined, revoked or sent again since, or has expired. Locks the
-- invitation, so that an ended one gets no code. A code for each attempt to send, at most twenty. For the service.

create or replace function organizations.issue_invitation_code(
    invitation_id uuid, sends integer, secret_hash bytea
)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_invitation organizations.invitations;
begin
    select i.* into the_invitation
    from organizations.invitations as i
    where i.id = issue_invitation_code.invitation_id
    for no key update;

    if
        (
            organizations.invitation_status(the_invitation) = 'pending'
            and the_invitation.sends = issue_invitation_code.sends
            and 20 > (
                select count(*) from organizations.invitation_codes as c where c.invitation_id = the_invitation.id
            )
        ) is not true
    then
        return false;
    end if;

    insert into organizations.invitation_codes (secret_hash, invitation_id)
    values (issue_invitation_code.secret_hash, the_invitation.id)
    on conflict on constraint invitation_codes_pkey do nothing;
    return true;
end;
$$;

comment on function organizations.issue_invitation_code(uuid, integer, bytea) is
'Store the hash of the code that an e-mail with an invitation contains. Return whether the e-mail is still wanted.';

grant execute on function organizations.issue_invitation_code(uuid, integer, bytea) to service_role;
