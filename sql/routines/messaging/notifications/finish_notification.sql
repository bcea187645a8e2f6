-- messaging.finish_notification: record the result of sending an e-mail.
--
-- With the provider's id, the e-mail is sent. With a permanent error, it has failed. Otherwise the lease ends at once,
-- so that the e-mail can be retried; `uncertain` says that it was possibly sent all the same. An e-mail that is sent or
-- has failed does not change again. For the service.

create or replace function messaging.finish_notification(
    outbox_id bigint,
    email text,
    provider_id text default null,
    error text default null,
    permanent boolean default false,
    uncertain boolean default false,
    at timestamptz default statement_timestamp()
)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    update messaging.deliveries as d
    set
        status = case
            when finish_notification.provider_id is not null then 'sent'
            when finish_notification.permanent then 'failed'
            else 'sending'
        end,
        provider_id = finish_notification.provider_id,
        last_error = left(finish_notification.error, 2000),
        uncertain = d.uncertain or finish_notification.uncertain,
        lease_until = null,
        sent_at = case when finish_notification.provider_id is not null then finish_notification.at end
    where
        d.outbox_id = finish_notification.outbox_id
        and d.channel = 'email'
        and d.recipient = finish_notification.email
        and d.status = 'sending';
$$;

comment on function messaging.finish_notification(bigint, text, text, text, boolean, boolean, timestamptz) is
'Record that an e-mail was sent, has failed permanently, or can be retried.';

grant execute on function messaging.finish_notification(bigint, text, text, text, boolean, boolean, timestamptz)
to service_role;
