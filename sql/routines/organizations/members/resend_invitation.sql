-- organizations.resend_invitation: send a pending invitation again, valid for seven days from now.
--
-- For owners and admins, within organizations.may_manage; also after the invitation has expired. The codes of earlier
-- e-mails stop working. Locks as organizations.require_invitation does.
--
-- Refuses: 403 forbidden; 404 invitation_not_found; 409 invitation_closed; 409 too_many_invitations, also after five
-- e-mails of one invitation.

create or replace function organizations.resend_invitation(invitation_id uuid)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    former organizations.invitations := organizations.require_invitation(resend_invitation.invitation_id);
    sends_max integer := ops.limit_value('sends_per_invitation');
    the_invitation organizations.invitations;
begin
    if former.status <> 'pending' then
        raise exception using errcode = 'PT409', message = 'invitation_closed',
            detail = jsonb_build_object('status', former.status)::text;
    end if;
    if former.sends >= sends_max then
        raise exception using errcode = 'PT409', message = 'too_many_invitations',
            detail = jsonb_build_object(
                'detail', format('The invitation was sent %s times, the maximum. Revoke it and create another.', sends_max),
                'most', sends_max
            )::text;
    end if;
    perform organizations.limit_invitations(former.organization_id);

    delete from organizations.invitation_codes as c
    where c.invitation_id = former.id;

    update organizations.invitations as i
    set sends = i.sends + 1, sent_at = statement_timestamp(), expires_at = statement_timestamp() + interval '168 hours'
    where i.id = former.id
    returning i.* into the_invitation;

    insert into public.outbox (topic, key, payload)
    values (
        'invitation.sent', the_invitation.organization_id::text, organizations.invitation_payload(the_invitation)
    );
    perform organizations.record_invitation('sent', former, the_invitation);
    return organizations.invitation_answer(the_invitation);
end;
$$;

comment on function organizations.resend_invitation(uuid) is
'Send a pending invitation again, valid for seven days from now.';

grant execute on function organizations.resend_invitation(uuid) to authenticated, service_role;
