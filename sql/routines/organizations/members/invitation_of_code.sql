-- organizations.invitation_of_code: lock and return the invitation of a code, for the person whom it invites.
--
-- The caller's verified address must be the invited one, without regard to case. The code alone does not suffice:
-- e-mails are forwarded and read by scanners, and the inviter has given rights to the owner of an address. The address
-- alone does not suffice either, because the issuer may have verified it long ago.
--
-- Creates a missing profile from the claims. Locks the person, so that an erasure leaves no membership, then the
-- invitation. Internal.
--
-- Refuses: 401 unauthenticated; 403 forbidden; 403 address_not_invited; 404 invitation_not_found.

create or replace function organizations.invitation_of_code(secret_hash bytea)
returns organizations.invitations
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_address text := users.own_profile() ->> 'email';
    the_invitation organizations.invitations;
begin
    perform events.lock_person(ops.caller_id());
    perform users.refuse_erased();

    select i.* into the_invitation
    from organizations.invitation_codes as c
    inner join organizations.invitations as i on i.id = c.invitation_id
    where c.secret_hash = invitation_of_code.secret_hash
    for no key update of i;

    -- While this waited, the code may have been deleted.
    if
        not found
        or not exists (
            select from organizations.invitation_codes as c where c.secret_hash = invitation_of_code.secret_hash
        )
    then
        raise exception using errcode = 'PT404', message = 'invitation_not_found';
    end if;

    if (lower(the_address) = lower(the_invitation.email)) is not true then
        raise exception using errcode = 'PT403', message = 'address_not_invited';
    end if;
    return the_invitation;
end;
$$;

comment on function organizations.invitation_of_code(bytea) is
'Lock and return the invitation of a code, for the person whom it invites.';
