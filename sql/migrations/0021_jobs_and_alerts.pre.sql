-- Which jobs are expected how often, who is told of alerts, and the rules that raise them.

create table ops.jobs (
    name text primary key,
    late_after_seconds integer not null constraint lateness_is_positive check (late_after_seconds > 0),
    expected_since timestamptz not null default now()
);

comment on table ops.jobs is 'Jobs that must succeed from time to time; one that has not for so long is late.';

insert into ops.jobs (name, late_after_seconds)
values
('promote_waitlist', 300),
('relay_outbox', 300),
('health', 300),
('complete_events', 2700),
('generate_events', 93600),
('partitions', 93600),
('clean_up', 93600);

create table ops.alert_recipients (
    email text primary key constraint recipient_has_an_at check (email ~ '^[^@\s]+@[^@\s]+$' and length(email) <= 254),
    severity_least text not null default 'warning' constraint severity_least_is_known
    check (severity_least in ('warning', 'critical')),
    created_at timestamptz not null default now()
);

comment on table ops.alert_recipients is 'Who gets an e-mail when an alert is raised or has cleared.';

create index job_runs_by_age on ops.job_runs using brin (started_at);

insert into ops.alert_rules
(name, metric, aggregate, window_seconds, threshold, for_seconds, cool_down_seconds, severity)
values
('booking_slow', 'booking_operation_duration', 'p95', 300, 2000, 120, 600, 'warning'),
('booking_very_slow', 'booking_operation_duration', 'p95', 300, 5000, 60, 300, 'critical'),
('database_slow', 'database_response_ms', 'average', 300, 500, 120, 600, 'warning'),
('database_very_slow', 'database_response_ms', 'average', 300, 1000, 60, 300, 'critical'),
('errors_frequent', 'request_errors', 'rate', 300, 1, 240, 600, 'warning'),
('errors_very_frequent', 'request_errors', 'rate', 300, 5, 60, 300, 'critical'),
('waitlist_offer_late', 'waitlist_offer_delay_seconds', 'maximum', 300, 300, 0, 600, 'warning'),
('holds_not_expiring', 'expired_hold_age_seconds', 'latest', 300, 300, 0, 600, 'critical'),
('counters_drifted', 'booking_counters_drifted', 'maximum', 3600, 0, 0, 3600, 'critical'),
('outbox_late', 'outbox_lag_seconds', 'latest', 300, 300, 0, 600, 'critical'),
('outbox_parked', 'outbox_parked', 'latest', 300, 0, 0, 3600, 'warning'),
('partition_maintenance_failed', 'partition_maintenance_failed', 'latest', 300, 0, 0, 3600, 'warning'),
('default_partition_filled', 'default_partition_rows', 'latest', 300, 0, 0, 86400, 'warning'),
('jobs_late', 'jobs_late', 'latest', 300, 0, 60, 600, 'critical'),
('jobs_failing', 'jobs_failing', 'latest', 300, 0, 300, 3600, 'warning');

alter table ops.jobs enable row level security;
alter table ops.alert_recipients enable row level security;
create policy service on ops.jobs to service_role using (true) with check (true);
create policy service on ops.alert_recipients to service_role using (true) with check (true);
grant select on ops.jobs to app_write;
grant select, insert, update, delete on ops.alert_recipients to app_write;
