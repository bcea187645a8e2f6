-- organizations.limit_invitations: refuse another e-mail with an invitation beyond the limits of a day.
--
-- Counts the e-mails of invitations that were last sent in the last 24 hours: of the organization, and of the caller at
-- all organizations. Runs under the locks of the person and of the organization's row, without which two requests
-- could both pass. The service is limited per organization alone. Internal.
--
-- Refuses: 409 too_many_invitations.

create or replace function organizations.limit_invitations(organization_id uuid)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    sends_max integer := ops.limit_value('invitations_per_day');
    since timestamptz := statement_timestamp() - interval '24 hours';
begin
    if
        sends_max <= (
            select sum(i.sends)
            from organizations.invitations as i
            where i.organization_id = limit_invitations.organization_id and i.sent_at > since
        )
        or sends_max <= (
            select sum(i.sends)
            from organizations.invitations as i
            where i.invited_by = ops.caller_id() and i.sent_at > since
        )
    then
        raise exception using errcode = 'PT409', message = 'too_many_invitations',
            detail = jsonb_build_object('most', sends_max)::text;
    end if;
end;
$$;

comment on function organizations.limit_invitations(uuid) is
'Refuse another e-mail with an invitation beyond the limits of a day.';
