-- ops.roll_up_metrics: sum metrics up by the hour.
--
-- Covers whole hours that ended at least ten minutes ago, at most `hours_most` of them. Starts with the last hour that
-- was rolled up, and repeats it, because measurements may arrive late. A repeated call gives the same rows. Returns
-- {"hours", "more"}. For the service.

create or replace function ops.roll_up_metrics(
    at timestamptz default statement_timestamp(),
    hours_most integer default 48
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
declare
    first_hour timestamptz := (select max(h.hour) from ops.performance_metrics_hourly as h);
    last_hour timestamptz := date_trunc('hour', roll_up_metrics.at - interval '10 minutes');
    next_hour timestamptz;
    next_measured_at timestamptz;
begin
    select min(m.recorded_at) into next_measured_at
    from ops.performance_metrics as m
    where first_hour is null or m.recorded_at >= first_hour + interval '1 hour';

    -- A gap longer than one call covers would never be passed: continue at the next measurement.
    if first_hour is null or next_measured_at >= first_hour + make_interval(hours => roll_up_metrics.hours_most) then
        first_hour := date_trunc('hour', next_measured_at);
    end if;

    next_hour := least(first_hour + make_interval(hours => roll_up_metrics.hours_most), last_hour);
    if first_hour is null or next_hour <= first_hour then
        return jsonb_build_object('hours', 0, 'more', false);
    end if;

    insert into ops.performance_metrics_hourly as h (hour, name, unit, count, sum, minimum, maximum, p50, p95)
    select
        date_trunc('hour', m.recorded_at),
        m.name,
        m.unit,
        count(*),
        sum(m.value),
        min(m.value),
        max(m.value),
        percentile_cont(0.5) within group (order by m.value),
        percentile_cont(0.95) within group (order by m.value)
    from ops.performance_metrics as m
    where m.recorded_at >= first_hour and m.recorded_at < next_hour
    group by 1, 2, 3
    on conflict on constraint performance_metrics_hourly_pkey do update
    set
        count = excluded.count,
        sum = excluded.sum,
        minimum = excluded.minimum,
        maximum = excluded.maximum,
        p50 = excluded.p50,
        p95 = excluded.p95;

    return jsonb_build_object(
        'hours', extract(epoch from next_hour - first_hour)::integer / 3600,
        'more', exists (
            select
            from ops.performance_metrics as m
            where m.recorded_at >= next_hour and m.recorded_at < last_hour
        )
    );
end;
$$;

comment on function ops.roll_up_metrics(timestamptz, integer) is
'Sum metrics up by the hour; returns the number of hours covered.';

grant execute on function ops.roll_up_metrics(timestamptz, integer) to service_role;
