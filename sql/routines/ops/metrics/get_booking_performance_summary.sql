-- ops.get_booking_performance_summary: return booking durations, message counts and the error rate of one day.
--
-- Covers the 24 hours before `at`.
--
-- {"operations": {name: {"count", "average_ms", "p95_ms", "maximum_ms"}}, "happenings": {topic: n}, "requests",
-- "error_rate_percent"}. Durations and errors are samples that functions write in batches. For the service.

create or replace function ops.get_booking_performance_summary(at timestamptz default statement_timestamp())
returns jsonb
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'operations', (
            select coalesce(jsonb_object_agg(d.operation, to_jsonb(d) - 'operation'), '{}')
            from (
                select
                    coalesce(m.tags ->> 'operation', 'unknown') as operation,
                    count(*) as count,
                    round(avg(m.value)::numeric, 1) as average_ms,
                    round((percentile_cont(0.95) within group (order by m.value))::numeric, 1) as p95_ms,
                    round(max(m.value)::numeric, 1) as maximum_ms
                from ops.performance_metrics as m
                where
                    m.name = 'booking_operation_duration'
                    and m.recorded_at > get_booking_performance_summary.at - interval '24 hours'
                    and m.recorded_at <= get_booking_performance_summary.at
                group by 1
            ) as d
        ),
        'happenings', (
            select coalesce(jsonb_object_agg(h.topic, h.happened), '{}')
            from (
                select m.tags ->> 'topic' as topic, sum(m.value) as happened
                from ops.performance_metrics as m
                where
                    m.name = 'happenings'
                    and m.recorded_at > get_booking_performance_summary.at - interval '24 hours'
                    and m.recorded_at <= get_booking_performance_summary.at
                group by 1
            ) as h
        ),
        'requests', (
            select coalesce(sum((m.tags ->> 'of')::double precision), 0)
            from ops.performance_metrics as m
            where
                m.name = 'request_errors'
                and m.recorded_at > get_booking_performance_summary.at - interval '24 hours'
                and m.recorded_at <= get_booking_performance_summary.at
        ),
        'error_rate_percent', ops.metric_aggregate('request_errors', 'rate', 86400, get_booking_performance_summary.at)
    );
$$;

comment on function ops.get_booking_performance_summary(timestamptz) is
'Return booking durations, message counts and the error rate of the last 24 hours.';

grant execute on function ops.get_booking_performance_summary(timestamptz) to service_role;
