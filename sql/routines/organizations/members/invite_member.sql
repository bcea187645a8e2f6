-- organizations.invite_member: invite the owner of an e-mail address to become a member with a role.
--
-- For owners and admins, within organizations.may_manage. Adds the message `invitation.sent`, which causes the e-mail.
-- The invitation is valid for seven days. Its language is that of the organization, unless one is given. An expired
-- invitation of the address ends.
--
-- Locks the person, then the organization's row, so that simultaneous calls do not exceed the limits. The unique index
-- one_pending_invitation also refuses a second invitation of an address.
--
-- Refuses: 401 unauthenticated; 403 forbidden; 404 organization_not_found; 409 already_member; 409 already_invited;
-- 409 too_many_invitations; 409 too_many_members; 422 invalid_request.

create or replace function organizations.invite_member(
    organization_id uuid, email text, role organizations.member_role, language text default null
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_organization organizations.organizations;
    the_invitation organizations.invitations;
    former organizations.invitations;
    members_max integer := ops.limit_value('members_per_organization');
begin
    perform events.require_organization(invite_member.organization_id, 'admin', 'owner');
    perform organizations.require_manageable(invite_member.organization_id, invite_member.role);
    if (ops.is_address(invite_member.email) and invite_member.role <> 'owner') is not true then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object('detail', 'An invitation needs an e-mail address and a role.')::text;
    end if;

    perform events.lock_person(ops.caller_id());
    select o.* into the_organization
    from organizations.organizations as o
    where o.id = invite_member.organization_id
    for no key update;
    perform organizations.require_manageable(invite_member.organization_id, invite_member.role);

    if not exists (
        select from ref.languages as l where l.code = coalesce(invite_member.language, the_organization.language)
    ) then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object('detail', 'The language is not supported.')::text;
    end if;

    if exists (
        select
        from organizations.memberships as m
        inner join users.profiles as p on p.id = m.user_id
        where m.organization_id = the_organization.id and lower(users.verified_address(p)) = lower(invite_member.email)
    ) then
        raise exception using errcode = 'PT409', message = 'already_member';
    end if;

    select i.* into former
    from organizations.invitations as i
    where
        i.organization_id = the_organization.id
        and lower(i.email) = lower(invite_member.email)
        and i.status = 'pending'
    for no key update;
    if found then
        if organizations.invitation_status(former) = 'pending' then
            raise exception using errcode = 'PT409', message = 'already_invited',
                detail = jsonb_build_object('invitation_id', former.id)::text;
        end if;
        perform organizations.end_invitation(former, 'expired');
    end if;

    if
        members_max <= (
            select count(*) from organizations.memberships as m where m.organization_id = the_organization.id
        ) + (
            select count(*)
            from organizations.invitations as i
            where i.organization_id = the_organization.id and organizations.invitation_status(i) = 'pending'
        )
    then
        raise exception using errcode = 'PT409', message = 'too_many_members',
            detail = jsonb_build_object('most', members_max)::text;
    end if;
    perform organizations.limit_invitations(the_organization.id);

    insert into organizations.invitations as i (organization_id, email, role, language, invited_by, expires_at)
    values (
        the_organization.id, invite_member.email, invite_member.role,
        coalesce(invite_member.language, the_organization.language),
        case when not ops.caller_is_service() then ops.caller_id() end,
        statement_timestamp() + interval '168 hours'
    )
    returning i.* into the_invitation;

    insert into public.outbox (topic, key, payload)
    values (
        'invitation.sent', the_invitation.organization_id::text, organizations.invitation_payload(the_invitation)
    );
    perform organizations.record_invitation('created', null, the_invitation);
    return organizations.invitation_answer(the_invitation);
end;
$$;

comment on function organizations.invite_member(uuid, text, organizations.member_role, text) is
'Invite the owner of an e-mail address to become a member with a role.';

grant execute on function organizations.invite_member(uuid, text, organizations.member_role, text)
to authenticated, service_role;
