-- messaging.finish_notification: an e-mail was sent, was refused for good, or is given back for another attempt.
--
-- With the provider's id it was sent; with an error that is permanent it has failed; with one that is not, the lease
-- ends at once, `uncertain` where it may have gone out all the same. What was sent stays sent.

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
'Write down that an e-mail was sent, has failed for good, or is to be tried again.';

grant execute on function messaging.finish_notification(bigint, text, text, text, boolean, boolean, timestamptz)
to service_role;
