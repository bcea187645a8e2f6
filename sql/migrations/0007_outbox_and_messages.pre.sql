-- What the world must hear, written with its cause and relayed after it.

create table public.outbox (
    id bigint generated always as identity primary key,
    topic varchar(100) not null,
    key varchar(200) not null,
    payload jsonb not null,
    correlation_id text,
    created_at timestamptz not null default clock_timestamp(),
    available_at timestamptz not null default '-infinity',
    lease_until timestamptz,
    attempts integer not null default 0,
    last_error text,
    relayed_at timestamptz,
    parked_at timestamptz
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);

create index outbox_to_relay on public.outbox (id) where relayed_at is null and parked_at is null;
create index outbox_parked on public.outbox (id) where parked_at is not null;

comment on table public.outbox is
'Messages to the world. Relayed in order per key, at least once; a poisoned row is parked and holds up nobody.';
comment on column public.outbox.key is 'What the message is about: messages of one key are relayed in order.';
comment on column public.outbox.lease_until is 'A relay works on it until then; afterwards another may.';

create table messaging.notifications (
    id uuid primary key default ops.uuid_v7(),
    user_id uuid not null references users.profiles on delete cascade,
    organization_id uuid references organizations.organizations on delete cascade,
    outbox_id bigint not null,
    topic text not null,
    subject text not null,
    body text not null,
    created_at timestamptz not null default now(),
    read_at timestamptz,
    constraint told_once unique (outbox_id, user_id)
);

create index notifications_of_user on messaging.notifications (user_id, id);
create index on messaging.notifications (organization_id);

create table messaging.deliveries (
    outbox_id bigint not null,
    channel text not null constraint channel_is_known check (channel in ('email')),
    recipient text not null,
    status text not null constraint delivery_status_is_known check (status in ('sending', 'sent', 'failed')),
    provider_id text,
    attempts integer not null default 1,
    last_error text,
    created_at timestamptz not null default now(),
    sent_at timestamptz,
    primary key (outbox_id, channel, recipient)
);

comment on table messaging.deliveries is
'What was sent to whom for which cause; the key keeps a repeated message from being sent again.';
