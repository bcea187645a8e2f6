-- ops.get_system_health_summary: return the state of the system's health, for operators and monitors.
--
-- {"status", "checked_at", "books", "checks": {name: {…}}, "alerts": […], "jobs": […], "figures": {…}}. The status is
-- the worst of the checks. Without a check in the last five minutes it is critical, because the monitoring itself has
-- stopped. For the service.

create or replace function ops.get_system_health_summary(at timestamptz default statement_timestamp())
returns jsonb
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'status', case
            when
                c.checked_at is null
                or c.checked_at < get_system_health_summary.at - interval '5 minutes'
            then 'critical'
            else (array['healthy', 'warning', 'critical'])[c.worst]
        end,
        'checked_at', c.checked_at,
        'books', payments.ledger_status(get_system_health_summary.at),
        'checks', coalesce(c.checks, '{}'),
        'alerts', (
            select coalesce(jsonb_agg(to_jsonb(a) order by a.fired_at), '[]')
            from ops.active_alerts as a
        ),
        'jobs', (
            select jsonb_agg(to_jsonb(j) order by j.job)
            from ops.job_states(get_system_health_summary.at) as j
        ),
        'figures', ops.get_booking_performance_summary(get_system_health_summary.at)
    )
    from (
        select
            max(h.checked_at) as checked_at,
            max(array_position(array['healthy', 'warning', 'critical'], h.status)) as worst,
            jsonb_object_agg(
                h.name,
                jsonb_build_object(
                    'status', h.status, 'value', h.value, 'unit', h.unit, 'since', h.changed_at, 'details', h.details
                )
            ) filter (where h.value is not null) as checks
        from ops.health_checks as h
    ) as c;
$$;

comment on function ops.get_system_health_summary(timestamptz) is
'Return the state of every check, alert and job, and booking figures.';

grant execute on function ops.get_system_health_summary(timestamptz) to service_role;
