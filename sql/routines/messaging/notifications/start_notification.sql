-- messaging.start_notification: add a message to a person's notifications, and lease the sending of its e-mail.
--
-- Returns the caller's next step:
--
-- - send: the caller holds the lease and sends the e-mail;
-- - send_again: the same, but an earlier attempt was possibly sent, because its lease expired or its result is
--   uncertain;
-- - done: the e-mail was sent or has failed permanently, there is no address, or the person wants no e-mail;
-- - busy: another caller holds the lease.
--
-- `family` is the topic's, if people can switch it off (messaging.preferences). Null: it is always sent.
--
-- Erased people receive nothing, and nobody is notified about an erased person: `done`. Locks both profiles for share,
-- in id order, so that an erasure waits and then also deletes this notification. A repeated call adds no second
-- notification. For the service.

create or replace function messaging.start_notification(
    outbox_id bigint,
    topic text,
    user_id uuid,
    organization_id uuid,
    subject text,
    body text,
    email text,
    lease_seconds integer default 120,
    at timestamptz default statement_timestamp(),
    family text default null
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
        select nullif(
            coalesce(o.payload ->> 'customer_id', o.payload ->> 'offered_by')::uuid, start_notification.user_id
        ) into the_subject_id
        from public.outbox as o
        where o.id = start_notification.outbox_id;

        -- A running erasure has locked the profile. Wait for it, and check only then.
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
        select
            start_notification.user_id, the_subject_id,
            start_notification.organization_id, start_notification.outbox_id,
            start_notification.topic, start_notification.subject, start_notification.body
        where messaging.is_wanted(start_notification.user_id, start_notification.family, 'app')
        on conflict on constraint told_once do nothing;
    end if;

    if
        start_notification.email is null
        or not messaging.is_wanted(start_notification.user_id, start_notification.family, 'email')
    then
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

comment on function
messaging.start_notification(bigint, text, uuid, uuid, text, text, text, integer, timestamptz, text) is
'Add a notification and lease the sending of its e-mail; returns send, send_again, done or busy.';

grant execute on function
messaging.start_notification(bigint, text, uuid, uuid, text, text, text, integer, timestamptz, text)
to service_role;
