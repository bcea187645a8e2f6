-- Insert the operational rows. Rules, policies, jobs and transitions come from the migrations.
insert into ops.state_history (machine, subject_id, from_state, to_state, actor_id, actor_role)
select 'booking', b.id, 'held', 'confirmed', b.customer_id, 'authenticated'
from events.bookings as b
where b.organization_id = %(organization)s;

insert into ops.idempotency_keys (caller_id, operation, key, request_hash, response)
select p, 'book', %(side)s, '', '{}'
from unnest(%(people)s::uuid[]) as p;

insert into ops.rate_limits (operation, subject, full_at)
select %(side)s, p, now()
from unnest(%(people)s::uuid[]) as p;

insert into ops.job_runs (job) values (%(side)s);

insert into ops.performance_metrics (name, value, unit) values (%(side)s, 1, 'count');

insert into ops.performance_metrics_hourly (hour, name, unit, count, sum, minimum, maximum, p50, p95)
values (date_trunc('hour', now()), %(side)s, 'count', 1, 1, 1, 1, 1, 1);

insert into ops.health_checks (name, status, checked_at, changed_at) values (%(side)s, 'healthy', now(), now());

insert into ops.alerts (rule, severity, pending_since, resolved_at) values ('outbox_late', 'warning', now(), now());

insert into ops.alert_recipients (email) values (%(side)s || '@example.org');

insert into ops.access_log (organization_id, caller_id, caller_role, operation, people, row_count)
values (%(organization)s, %(organization_owner)s, 'authenticated', 'roster', %(people)s::text[], 5);
