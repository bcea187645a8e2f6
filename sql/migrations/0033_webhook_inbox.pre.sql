-- What Stripe tells us, written down before it is answered, and what has become of it.

create schema if not exists payments;
grant usage on schema payments to app_read, app_write;

create type payments.webhook_status as enum ('received', 'failed', 'handled', 'ignored', 'parked');

create table payments.webhook_inbox (
    event_id text primary key constraint event_id_is_stripes check (event_id ~ '^evt_[A-Za-z0-9_]{1,250}$'),
    account text,
    type text not null,
    api_version text,
    livemode boolean not null,
    created_at timestamptz not null,
    payload json not null,
    received_at timestamptz not null,
    caught_up boolean not null default false,
    status payments.webhook_status not null default 'received',
    attempts integer not null default 0,
    postponements integer not null default 0,
    available_at timestamptz not null,
    lease_until timestamptz,
    handled_at timestamptz,
    result jsonb,
    last_error text,
    constraint handled_says_when check ((status in ('handled', 'ignored')) = (handled_at is not null)),
    constraint parked_says_why check (status <> 'parked' or last_error is not null)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);

create index webhook_inbox_unfinished on payments.webhook_inbox (available_at) where status in ('received', 'failed');
create index webhook_inbox_parked on payments.webhook_inbox (received_at) where status = 'parked';
create index webhook_inbox_by_creation on payments.webhook_inbox using brin (created_at);

comment on table payments.webhook_inbox is
'Events of Stripe, each once by its id. What is answered 200 stands here; what is here is handled, ignored or parked.';
comment on column payments.webhook_inbox.account is 'The connected account whose event it is; null: our own.';
comment on column payments.webhook_inbox.created_at is 'When it happened, by Stripe.';
comment on column payments.webhook_inbox.payload is
'As it was sent, to the letter (json and not jsonb: it may hold what jsonb cannot).';
comment on column payments.webhook_inbox.caught_up is 'Found in Stripe''s list of events and not sent to us.';
comment on column payments.webhook_inbox.attempts is 'How often it was begun; after five failures it is parked.';
comment on column payments.webhook_inbox.postponements is
'How often Stripe or we were not to be had; these do not count.';
comment on column payments.webhook_inbox.available_at is 'The sweep leaves it alone until then.';
comment on column payments.webhook_inbox.lease_until is 'Somebody is at it until then; afterwards another may.';

alter table payments.webhook_inbox enable row level security;
create policy service on payments.webhook_inbox to service_role using (true) with check (true);
grant select on payments.webhook_inbox to app_write;

insert into ops.jobs (name, late_after_seconds) values
('settle_payments', 600),
('catch_up_stripe', 93600);

insert into ops.alert_rules
(name, metric, aggregate, window_seconds, threshold, for_seconds, cool_down_seconds, severity)
values
('webhooks_late', 'webhook_inbox_age_seconds', 'latest', 300, 1800, 0, 3600, 'critical'),
('webhooks_parked', 'webhooks_parked', 'latest', 300, 0, 0, 86400, 'warning');
