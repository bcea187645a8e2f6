-- ops.metric_aggregate: return one number for a metric over a window of time that ends at `at`.
--
-- p95, average, maximum and latest are null when nothing was measured. count is the number of measurements. rate is a
-- percentage: the sum of the values divided by the sum of their totals (the tag `of`, by default 1).

create or replace function ops.metric_aggregate(
    metric text,
    aggregate text,
    window_seconds integer,
    at timestamptz default statement_timestamp()
)
returns double precision
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select
        case metric_aggregate.aggregate
            when 'p95' then percentile_cont(0.95) within group (order by m.value)
            when 'average' then avg(m.value)
            when 'maximum' then max(m.value)
            when 'count' then count(*)
            when 'rate' then 100 * sum(m.value) / nullif(sum(coalesce((m.tags ->> 'of')::double precision, 1)), 0)
            when 'latest' then (array_agg(m.value order by m.recorded_at desc))[1]
        end
    from ops.performance_metrics as m
    where
        m.name = metric_aggregate.metric
        and m.recorded_at > metric_aggregate.at - make_interval(secs => metric_aggregate.window_seconds)
        and m.recorded_at <= metric_aggregate.at;
$$;

comment on function ops.metric_aggregate(text, text, integer, timestamptz) is
'Return one number for a metric over a window of time.';

grant execute on function ops.metric_aggregate(text, text, integer, timestamptz) to service_role;
