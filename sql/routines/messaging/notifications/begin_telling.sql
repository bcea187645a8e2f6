-- messaging.begin_telling: put a message into somebody's notifications, and take the sending of its e-mail.
--
-- Answers what is to be done: 'send', by this caller, who holds the lease; 'send_again', the same where an attempt
-- before may have gone out: its lease ran out, for its holder died before or after sending, or nobody could tell how it
-- ended; 'done', because it was sent or has failed for good, or because there is no address; 'busy', because somebody
-- else holds the lease.
--
-- Nobody is told anything who was erased, or about anyone who was: 'done'. Locks the profiles of both against an
-- erasure until the notification is there for it to delete.

create or replace function messaging.begin_telling(
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
    if begin_telling.user_id is not null then
        select nullif((o.payload ->> 'customer_id')::uuid, begin_telling.user_id) into the_subject_id
        from public.outbox as o
        where o.id = begin_telling.outbox_id;

        -- An erasure at this moment has locked the profile: wait for it, then look again.
        perform
        from users.profiles as p
        where p.id in (begin_telling.user_id, the_subject_id)
        order by p.id
        for share;

        perform
        from users.profiles as p
        where p.id in (begin_telling.user_id, the_subject_id) and p.erased_at is not null;
        if found then
            return 'done';
        end if;

        insert into messaging.notifications (user_id, about_id, organization_id, outbox_id, topic, subject, body)
        values (
            begin_telling.user_id, the_subject_id, begin_telling.organization_id, begin_telling.outbox_id,
            begin_telling.topic, begin_telling.subject, begin_telling.body
        )
        on conflict on constraint told_once do nothing;
    end if;

    if begin_telling.email is null then
        return 'done';
    end if;

    insert into messaging.deliveries as d (outbox_id, channel, recipient, user_id, status, lease_until)
    values (
        begin_telling.outbox_id, 'email', begin_telling.email, begin_telling.user_id, 'sending',
        begin_telling.at + make_interval(secs => begin_telling.lease_seconds)
    )
    on conflict on constraint deliveries_pkey do update
    set
        attempts = d.attempts + 1,
        uncertain = d.uncertain or d.lease_until is not null,
        lease_until = excluded.lease_until
    where d.status = 'sending' and (d.lease_until <= begin_telling.at) is not false
    returning d.uncertain into may_have_gone_out;

    if found then
        return case when may_have_gone_out then 'send_again' else 'send' end;
    end if;

    select d.status into the_status
    from messaging.deliveries as d
    where
        d.outbox_id = begin_telling.outbox_id
        and d.channel = 'email'
        and d.recipient = begin_telling.email;
    return case when the_status = 'sending' then 'busy' else 'done' end;
end;
$$;

comment on function messaging.begin_telling(bigint, text, uuid, uuid, text, text, text, integer, timestamptz) is
'Write the notification and take the sending of the e-mail; answers send, send_again, done or busy.';

grant execute on function messaging.begin_telling(bigint, text, uuid, uuid, text, text, text, integer, timestamptz)
to service_role;
