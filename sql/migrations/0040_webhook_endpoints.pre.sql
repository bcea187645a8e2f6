-- Webhooks to subscribers: where they go, with which secrets, what was sent and what came back.

create table messaging.webhook_endpoints (
    id uuid primary key default ops.uuid_v7(),
    organization_id uuid not null references organizations.organizations on delete cascade,
    url text not null constraint endpoint_url_is_plain check (url ~ '^https?://[!-~]+$' and length(url) <= 2000),
    topics text[] constraint topics_are_some check (cardinality(topics) between 1 and 100),
    description text not null default '' constraint endpoint_description_is_short check (length(description) <= 500),
    enabled boolean not null default true,
    disabled_at timestamptz,
    disabled_reason text constraint disabled_reason_is_known check (disabled_reason in ('by_hand', 'gone', 'failing')),
    failing_since timestamptz,
    failures integer not null default 0 constraint failures_are_counted check (failures >= 0),
    previous_secret_expires_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint disabled_says_when_and_why check (
        enabled = (disabled_at is null) and enabled = (disabled_reason is null)
    ),
    constraint failing_has_failures check ((failing_since is null) = (failures = 0))
);

create index on messaging.webhook_endpoints (organization_id, id);

comment on table messaging.webhook_endpoints is 'Where an organization wants to hear what happens.';
comment on column messaging.webhook_endpoints.topics is 'What it wants to hear of; null: everything.';
comment on column messaging.webhook_endpoints.failing_since is 'The first failure since anything was taken.';

-- Apart from the endpoints, and granted to nobody: the routines that sign read it for the service, no caller can.
create table messaging.webhook_secrets (
    endpoint_id uuid not null references messaging.webhook_endpoints on delete cascade,
    secret text not null constraint secret_is_long_enough check (secret ~ '^whsec_[A-Za-z0-9+/]{32,86}={0,2}$'),
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    primary key (endpoint_id, secret)
);

create unique index webhook_secret_current on messaging.webhook_secrets (endpoint_id) where expires_at is null;

comment on table messaging.webhook_secrets is
'What deliveries are signed with: the current secret, and replaced ones until they expire.';

create table messaging.webhook_deliveries (
    id uuid primary key default ops.uuid_v7(),
    endpoint_id uuid not null references messaging.webhook_endpoints on delete cascade,
    outbox_id bigint,
    topic text not null,
    key text not null,
    payload jsonb not null,
    occurred_at timestamptz not null,
    status text not null default 'pending' constraint webhook_status_is_known
    check (status in ('pending', 'delivered', 'failed')),
    attempts integer not null default 0,
    tries integer not null default 0,
    next_attempt_at timestamptz,
    lease_until timestamptz,
    last_status_code integer,
    last_error text,
    last_duration_ms integer,
    created_at timestamptz not null default now(),
    delivered_at timestamptz,
    constraint one_delivery_a_cause unique (endpoint_id, outbox_id),
    constraint tries_are_attempts check (tries between 0 and attempts),
    constraint pending_has_a_next_attempt check ((status = 'pending') = (next_attempt_at is not null)),
    constraint only_pending_is_leased check (status = 'pending' or lease_until is null),
    constraint delivered_says_when check (status <> 'delivered' or delivered_at is not null)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);

create index webhook_deliveries_of_endpoint on messaging.webhook_deliveries (endpoint_id, id);
create index webhook_deliveries_due on messaging.webhook_deliveries (endpoint_id, next_attempt_at, outbox_id)
where status = 'pending';
create index webhook_deliveries_in_flight on messaging.webhook_deliveries (endpoint_id, key)
where lease_until is not null;
create index webhook_deliveries_by_age on messaging.webhook_deliveries using brin (created_at);

comment on table messaging.webhook_deliveries is
'What is sent to an endpoint for one cause; its id is the webhook-id, the same for every attempt.';
comment on column messaging.webhook_deliveries.outbox_id is 'The cause; null for a test that somebody asked for.';
comment on column messaging.webhook_deliveries.attempts is 'All attempts that were begun.';
comment on column messaging.webhook_deliveries.tries is 'Attempts begun since it was made or last re-sent by hand.';
comment on column messaging.webhook_deliveries.lease_until is
'A worker is sending it until then; afterwards another may.';

create table messaging.webhook_attempts (
    delivery_id uuid not null references messaging.webhook_deliveries on delete cascade,
    number integer not null,
    started_at timestamptz not null,
    duration_ms integer not null,
    status_code integer,
    error text,
    response text constraint response_is_short check (length(response) <= 1024),
    primary key (delivery_id, number)
);

comment on table messaging.webhook_attempts is 'What came of each attempt; one whose worker died is missing.';
comment on column messaging.webhook_attempts.response is 'The beginning of the answer''s body.';

alter table messaging.webhook_endpoints enable row level security;
alter table messaging.webhook_secrets enable row level security;
alter table messaging.webhook_deliveries enable row level security;
alter table messaging.webhook_attempts enable row level security;

create policy service on messaging.webhook_endpoints to service_role using (true) with check (true);
create policy service on messaging.webhook_deliveries to service_role using (true) with check (true);
create policy service on messaging.webhook_attempts to service_role using (true) with check (true);

create policy staff on messaging.webhook_endpoints for select to authenticated
using (organization_id in (select organizations.orgs_as('viewer', 'editor', 'admin', 'owner')));

-- Deliveries and attempts follow what the caller may see of the endpoint.
create policy visible_endpoint on messaging.webhook_deliveries for select to authenticated
using (endpoint_id in (select e.id from messaging.webhook_endpoints as e));

create policy visible_delivery on messaging.webhook_attempts for select to authenticated
using (delivery_id in (select d.id from messaging.webhook_deliveries as d));

grant select on
messaging.webhook_endpoints, messaging.webhook_deliveries, messaging.webhook_attempts
to app_read;

insert into ops.rate_limit_rules (operation, per_minute, burst, address_per_minute, address_burst)
values ('webhooks', 30, 30, 300, 300);

insert into ops.jobs (name, late_after_seconds)
values ('deliver_webhooks', 300);
