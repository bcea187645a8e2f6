-- ops.clean_up: delete what has outlived its purpose.
--
-- Idempotency keys, relayed messages, requests of ratings and runs that counted ratings after 7 days; rate-limit
-- buckets that are full; counts of a voter's day after another day; runs of jobs, deliveries, marks of events that were
-- reminded of, webhooks that are no longer pending, lapsed holds that nothing names and raw metrics after 30 days (they
-- are rolled up first); keys of ratings after 90 days; hourly metrics after 13 months, and calibrations of ratings, but
-- for each organization's last. At most so many rows of each, never waiting for those who use them; what cannot be had
-- now is for the next run. Answers how many rows of each went, and whether there is more.

create or replace function ops.clean_up(at timestamptz default statement_timestamp(), most integer default 5000)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    a_week_ago timestamptz := clean_up.at - interval '7 days';
    a_month_ago timestamptz := clean_up.at - interval '30 days';
    rolled_up_until timestamptz := coalesce(
        (select max(h.hour) from ops.performance_metrics_hourly as h), '-infinity'
    );
    gone jsonb := '{}';
    deleted integer;
    old_rows record;
begin
    for old_rows in
        select t.*
        from (
            values
            ('idempotency_keys', 'ops.idempotency_keys', 'r.created_at < $1'),
            ('messages', 'public.outbox', 'r.created_at < $1 and r.relayed_at < $1'),
            ('rate_limits', 'ops.rate_limits', 'r.full_at <= $3'),
            ('rating_runs', 'ops.job_runs', 'r.job = ''process_ratings'' and r.started_at < $1'),
            ('job_runs', 'ops.job_runs', 'r.started_at < $2'),
            ('rating_requests', 'rating.requests', 'r.finished_at < $1'),
            ('rating_keys', 'rating.event_keys', 'r.received_at < $3 - interval ''90 days'''),
            (
                'calibrations', 'rating.calibrations',
                'r.finished_at < $3 - interval ''13 months'' and exists ('
                'select from rating.calibrations as c where c.organization_id = r.organization_id and c.id > r.id)'
            ),
            ('voter_days', 'rating.voter_days', 'r.day < ($3 at time zone ''utc'')::date - 1'),
            ('deliveries', 'messaging.deliveries', 'r.created_at < $2'),
            ('reminded_events', 'messaging.reminded_events', 'r.due_at < $2'),
            ('webhooks', 'messaging.webhook_deliveries', 'r.created_at < $2 and r.status <> ''pending'''),
            (
                'holds', 'events.holds',
                'r.status <> ''active'' and r.expires_at < $2 '
                'and not exists (select from events.bookings as b where b.hold_id = r.id) '
                'and not exists (select from events.waitlist_entries as w where w.hold_id = r.id)'
            ),
            ('metrics', 'ops.performance_metrics', 'r.recorded_at < least($2, $4)'),
            ('metrics_hourly', 'ops.performance_metrics_hourly', 'r.hour < $3 - interval ''13 months''')
        ) as t (name, table_name, is_old)
    loop
        execute format(
            'with old as materialized ('
            '    select r.tableoid, r.ctid from %1$s as r where %2$s limit $5 for update skip locked'
            ') '
            'delete from %1$s as r using old as o where r.tableoid = o.tableoid and r.ctid = o.ctid',
            old_rows.table_name, old_rows.is_old
        ) using a_week_ago, a_month_ago, clean_up.at, rolled_up_until, clean_up.most;
        get diagnostics deleted = row_count;
        gone := gone || jsonb_build_object(old_rows.name, deleted);
    end loop;

    return gone || jsonb_build_object(
        'more', exists (select from jsonb_each_text(gone) as g where g.value::integer >= clean_up.most)
    );
end;
$$;

comment on function ops.clean_up(timestamptz, integer) is
'Delete what has outlived its purpose; answers how many rows of each went, and whether there is more.';

grant execute on function ops.clean_up(timestamptz, integer) to service_role;
