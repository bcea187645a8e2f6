-- messaging.start_notification: put a message into somebody's notifications, and take the sending of its e-mail.
--
-- Answers what is to be done: 'send', by this caller, who holds the lease; 'send_again', the same where an attempt
-- before may have gone out: its lease ran out, for its holder died before or after sending, or nobody could tell how it
-- ended; 'done', because it was sent or has failed for good, or because there is no address; 'busy', because somebody
-- else holds the lease.
--
-- Nobody is told anything who was erased, or about anyone who was: 'done'. Locks the profiles of both against an
-- erasure until the notification is there for it to delete.

create or replace function messaging.start_notification(
    outbox_id bigint,
    topic text,
    user_id uuid,
    organization_id uuid,
    subject text,
    body text,
    email text,
    lease_seconds integer default 120,
    at timestamptz default statement_timestamp()
)
returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_status text;
    may_have_gone_out boolean;
    the_subject_id uuid;
begin
    if start_notification.user_id is not null then
        select nullif((o.payload ->> 'customer_id')::uuid, start_notification.user_id) into the_subject_id
        from public.outbox as o
        where o.id = start_notification.outbox_id;

        -- An erasure at this moment has locked the profile: wait for it, then look again.
        perform
        from users.profiles as p
        where p.id in (start_notification.user_id, the_subject_id)
        order by p.id
        for share;

        perform
        from users.profiles as p
        where p.id in (start_notification.user_id, the_subject_id) and p.erased_at is not null;
        if found then
            return 'done';
        end if;

        insert into messaging.notifications (user_id, about_id, organization_id, outbox_id, topic, subject, body)
        values (
            start_notification.user_id, the_subject_id,
            start_notification.organization_id, start_notification.outbox_id,
            start_notification.topic, start_notification.subject, start_notification.body
        )
        on conflict on constraint told_once do nothing;
    end if;

    if start_notification.email is null then
        return 'done';
    end if;

    insert into messaging.deliveries as d (outbox_id, channel, recipient, user_id, status, lease_until)
    values (
        start_notification.outbox_id, 'email', start_notification.email, start_notification.user_id, 'sending',
        start_notification.at + make_interval(secs => start_notification.lease_seconds)
    )
    on conflict on constraint deliveries_pkey do update
    set
        attempts = d.attempts + 1,
        uncertain = d.uncertain or d.lease_until is not null,
        lease_until = excluded.lease_until
    where d.status = 'sending' and (d.lease_until <= start_notification.at) is not false
    returning d.uncertain into may_have_gone_out;

    if found then
        return case when may_have_gone_out then 'send_again' else 'send' end;
    end if;

    select d.status into the_status
    from messaging.deliveries as d
    where
        d.outbox_id = start_notification.outbox_id
        and d.channel = 'email'
        and d.recipient = start_notification.email;
    return case when the_status = 'sending' then 'busy' else 'done' end;
end;
$$;

comment on function messaging.start_notification(bigint, text, uuid, uuid, text, text, text, integer, timestamptz) is
'Write the notification and take the sending of the e-mail; answers send, send_again, done or busy.';

grant execute on function messaging.start_notification(bigint, text, uuid, uuid, text, text, text, integer, timestamptz)
to service_role;
