-- What every part leans on: state machines, idempotency, limits, jobs, metrics, health, partitions.

create table ops.transitions (
    machine text not null,
    from_state text not null,
    to_state text not null,
    primary key (machine, from_state, to_state),
    constraint state_changes check (from_state <> to_state)
);

comment on table ops.transitions is 'Which state may follow which; ops.enforce_transition refuses the rest.';

insert into ops.transitions (machine, from_state, to_state)
values
('booking', 'pending_payment', 'confirmed'),
('booking', 'pending_payment', 'cancelled'),
('booking', 'pending_payment', 'expired'),
('booking', 'held', 'confirmed'),
('booking', 'held', 'expired'),
('booking', 'confirmed', 'cancelled'),
('booking', 'confirmed', 'refunded'),
('booking', 'confirmed', 'attended'),
('booking', 'confirmed', 'no_show'),
('hold', 'active', 'consumed'),
('hold', 'active', 'released'),
('hold', 'active', 'expired'),
('waitlist', 'waiting', 'offered'),
('waitlist', 'waiting', 'left'),
('waitlist', 'waiting', 'expired'),
('waitlist', 'offered', 'accepted'),
('waitlist', 'offered', 'waiting'),
('waitlist', 'offered', 'expired'),
('waitlist', 'offered', 'left'),
('event', 'draft', 'scheduled'),
('event', 'draft', 'cancelled'),
('event', 'scheduled', 'cancelled'),
('event', 'scheduled', 'completed'),
('series', 'active', 'paused'),
('series', 'active', 'archived'),
('series', 'paused', 'active'),
('series', 'paused', 'archived');

create table ops.state_history (
    id bigint generated always as identity primary key,
    machine text not null,
    subject_id uuid not null,
    from_state text not null,
    to_state text not null,
    actor_id uuid,
    actor_role text not null,
    reason text,
    changed_at timestamptz not null default clock_timestamp()
);

create index state_history_of_subject on ops.state_history (subject_id, id);

comment on table ops.state_history is
'Every change of state, who made it and why. The first state is the row''s own creation.';

create table ops.idempotency_keys (
    caller_id uuid not null,
    operation text not null,
    key varchar(255) not null,
    request_hash bytea not null,
    response text not null,
    created_at timestamptz not null default now(),
    primary key (caller_id, operation, key)
);

comment on table ops.idempotency_keys is
'The first answer to each keyed request, kept for a week and given again to the letter.';

create table ops.rate_limit_rules (
    operation text primary key,
    per_minute integer not null constraint rate_is_positive check (per_minute > 0),
    burst integer not null constraint burst_is_positive check (burst > 0),
    address_per_minute integer not null constraint address_rate_is_positive check (address_per_minute > 0),
    address_burst integer not null constraint address_burst_is_positive check (address_burst > 0)
);

comment on table ops.rate_limit_rules is 'How often one caller, and one source address, may do a thing.';

insert into ops.rate_limit_rules (operation, per_minute, burst, address_per_minute, address_burst)
values
('book', 5, 5, 300, 300),
('cancel', 10, 10, 300, 300);

create unlogged table ops.rate_limits (
    operation text not null,
    subject text not null,
    full_at timestamptz not null,
    primary key (operation, subject)
) with (fillfactor = 50);

comment on table ops.rate_limits is
'Token buckets, one timestamp each: when the bucket will be full again. Lost in a crash, which costs nobody anything.';

create table ops.job_runs (
    id bigint generated always as identity primary key,
    job text not null,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    succeeded boolean,
    result jsonb,
    error text
);

create index job_runs_of_job on ops.job_runs (job, id desc);

create table ops.partition_policies (
    table_name text primary key,
    months_behind integer not null default 1 constraint months_behind_is_sensible
    check (months_behind between 0 and 120),
    months_ahead integer not null constraint months_ahead_is_sensible
    check (months_ahead between 1 and 60),
    retention_months integer constraint retention_is_sensible check (retention_months between 1 and 240)
);

comment on table ops.partition_policies is
'Tables partitioned by month: which months exist ahead, and after how many a month is dropped (null: never).';
comment on column ops.partition_policies.table_name is 'With its schema: events.events.';

insert into ops.partition_policies (table_name, months_behind, months_ahead, retention_months)
values
('events.events', 1, 18, null),
('ops.performance_metrics', 1, 3, 2);

create table ops.performance_metrics (
    recorded_at timestamptz not null default clock_timestamp(),
    name text not null,
    value double precision not null,
    unit text not null,
    tags jsonb not null default '{}'
) partition by range (recorded_at);

create table ops.performance_metrics_default partition of ops.performance_metrics default;

create index performance_metrics_by_name on ops.performance_metrics (name, recorded_at);

create table ops.performance_metrics_hourly (
    hour timestamptz not null,
    name text not null,
    unit text not null,
    count bigint not null,
    sum double precision not null,
    minimum double precision not null,
    maximum double precision not null,
    p50 double precision not null,
    p95 double precision not null,
    primary key (name, unit, hour)
);

create table ops.health_checks (
    name text primary key,
    status text not null constraint health_is_known check (status in ('healthy', 'warning', 'critical')),
    value double precision,
    unit text,
    details jsonb not null default '{}',
    checked_at timestamptz not null,
    changed_at timestamptz not null
);

create table ops.alert_rules (
    name text primary key,
    metric text not null,
    aggregate text not null constraint aggregate_is_known
    check (aggregate in ('p95', 'average', 'maximum', 'count', 'rate', 'latest')),
    window_seconds integer not null constraint window_is_sensible check (window_seconds between 10 and 86400),
    comparison text not null default '>' constraint comparison_is_known check (comparison in ('>', '<')),
    threshold double precision not null,
    for_seconds integer not null default 0 constraint for_is_sensible check (for_seconds between 0 and 86400),
    cool_down_seconds integer not null default 300 constraint cool_down_is_sensible
    check (cool_down_seconds between 0 and 86400),
    severity text not null constraint severity_is_known check (severity in ('warning', 'critical')),
    enabled boolean not null default true
);

create table ops.alerts (
    id bigint generated always as identity primary key,
    rule text not null references ops.alert_rules on update cascade on delete cascade,
    severity text not null,
    value double precision,
    pending_since timestamptz not null,
    fired_at timestamptz,
    resolved_at timestamptz
);

create unique index one_open_alert_per_rule on ops.alerts (rule) where resolved_at is null;
create index alerts_by_age on ops.alerts (rule, id desc);

comment on column ops.alerts.pending_since is
'When the threshold was first crossed; it fires after the rule''s for_seconds.';
