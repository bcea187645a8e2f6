-- organizations.decline_invitation: decline the invitation of a code.
--
-- For the person with the invited address (organizations.invitation_of_code, which also has the locks).
--
-- Refuses: 401 unauthenticated; 403 forbidden; 403 address_not_invited; 404 invitation_not_found, also if it was
-- declined before; 409 invitation_closed.

create or replace function organizations.decline_invitation(secret_hash bytea)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_invitation organizations.invitations := organizations.invitation_of_code(decline_invitation.secret_hash);
begin
    if organizations.invitation_status(the_invitation) <> 'pending' then
        raise exception using errcode = 'PT409', message = 'invitation_closed',
            detail = jsonb_build_object('status', organizations.invitation_status(the_invitation))::text;
    end if;
    perform organizations.end_invitation(the_invitation, 'declined');
end;
$$;

comment on function organizations.decline_invitation(bytea) is 'Decline the invitation of a code.';

grant execute on function organizations.decline_invitation(bytea) to authenticated, service_role;
