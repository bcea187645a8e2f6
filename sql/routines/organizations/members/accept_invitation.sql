-- organizations.accept_invitation: make the caller a member by the code of an invitation.
--
-- For the person with the invited address (organizations.invitation_of_code, which also has the locks). A repeated call
-- returns the membership, while it exists.
--
-- Refuses: 401 unauthenticated; 403 forbidden; 403 address_not_invited; 404 invitation_not_found; 409 already_member,
-- also by another invitation; 409 invitation_closed.

create or replace function organizations.accept_invitation(secret_hash bytea)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_invitation organizations.invitations := organizations.invitation_of_code(accept_invitation.secret_hash);
    the_member organizations.memberships;
begin
    if the_invitation.accepted_by = ops.caller_id() then
        select m.* into the_member
        from organizations.memberships as m
        where m.organization_id = the_invitation.organization_id and m.user_id = ops.caller_id();
        if found then
            return to_jsonb(the_member);
        end if;
    end if;

    if organizations.invitation_status(the_invitation) <> 'pending' then
        raise exception using errcode = 'PT409', message = 'invitation_closed',
            detail = jsonb_build_object('status', organizations.invitation_status(the_invitation))::text;
    end if;

    insert into organizations.memberships as m (organization_id, user_id, role)
    values (the_invitation.organization_id, ops.caller_id(), the_invitation.role)
    on conflict on constraint memberships_pkey do nothing
    returning m.* into the_member;
    if not found then
        raise exception using errcode = 'PT409', message = 'already_member';
    end if;

    perform organizations.end_invitation(the_invitation, 'accepted', ops.caller_id());
    return to_jsonb(the_member);
end;
$$;

comment on function organizations.accept_invitation(bytea) is
'Make the caller a member by the code of an invitation.';

grant execute on function organizations.accept_invitation(bytea) to authenticated, service_role;
