-- ops.check_health: collect the system's health figures, store the status of each, and record each as a metric.
--
-- Also counts the messages since the last check by topic, as the metric `happenings`. An advisory lock serializes
-- checks. Returns {"status": the worst, "checks": {name: status}}. For the service.

create or replace function ops.check_health(
    database_ms double precision default null,
    at timestamptz default statement_timestamp()
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    before jsonb;
    figures jsonb;
    last_id bigint;
    newest_id bigint;
begin
    perform pg_advisory_xact_lock(hashtextextended('ops.check_health', 0));

    before := (select coalesce(jsonb_object_agg(c.name, c.details), '{}') from ops.health_checks as c);
    figures := (
        select jsonb_agg(to_jsonb(m))
        from ops.collect_health_figures(before, check_health.database_ms, check_health.at) as m
    );

    insert into ops.health_checks as c (name, status, value, unit, details, checked_at, changed_at)
    select f.name, f.status, f.value, f.unit, f.details, check_health.at, check_health.at
    from jsonb_to_recordset(figures) as f (name text, value double precision, unit text, status text, details jsonb)
    order by f.name
    on conflict on constraint health_checks_pkey do update
    set
        status = excluded.status,
        value = excluded.value,
        unit = excluded.unit,
        details = excluded.details,
        checked_at = excluded.checked_at,
        changed_at = case when c.status = excluded.status then c.changed_at else excluded.changed_at end;

    insert into ops.performance_metrics (recorded_at, name, value, unit)
    select check_health.at, f.name, f.value, f.unit
    from jsonb_to_recordset(figures) as f (name text, value double precision, unit text)
    where f.value is not null;

    last_id := (before -> 'happenings' ->> 'last_id')::bigint;
    newest_id := (select max(o.id) from public.outbox as o);

    insert into ops.performance_metrics (recorded_at, name, value, unit, tags)
    select check_health.at, 'happenings', count(*), 'messages', jsonb_build_object('topic', o.topic)
    from public.outbox as o
    where o.id > greatest(last_id, newest_id - 100000) and o.id <= newest_id
    group by o.topic;

    insert into ops.health_checks as c (name, status, details, checked_at, changed_at)
    values (
        'happenings', 'healthy', jsonb_build_object('last_id', coalesce(newest_id, last_id, 0)),
        check_health.at, check_health.at
    )
    on conflict on constraint health_checks_pkey do update
    set details = excluded.details, checked_at = excluded.checked_at;

    return jsonb_build_object(
        'status', (
            select coalesce((array['healthy', 'warning', 'critical'])[max(
                array_position(array['healthy', 'warning', 'critical'], f.status)
            )], 'healthy')
            from jsonb_to_recordset(figures) as f (status text)
        ),
        'checks', (
            select jsonb_object_agg(f.name, f.status)
            from jsonb_to_recordset(figures) as f (name text, status text)
        )
    );
end;
$$;

comment on function ops.check_health(double precision, timestamptz) is
'Collect, rate and record the system''s health figures; returns the worst status and each figure''s.';

grant execute on function ops.check_health(double precision, timestamptz) to service_role;
