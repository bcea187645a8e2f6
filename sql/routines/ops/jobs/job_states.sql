-- ops.job_states: return the last start and success of each expected job, and whether it is late or failing.
--
-- A job is late if it has not succeeded for `late_after_seconds`, counted from the time when it was first expected. It
-- is failing if the last run that ended did so with an error.

create or replace function ops.job_states(at timestamptz default statement_timestamp())
returns table (
    job text,
    last_started_at timestamptz,
    last_succeeded_at timestamptz,
    last_error text,
    late boolean,
    failing boolean
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select
        j.name,
        started.started_at,
        succeeded.finished_at,
        case when not ended.succeeded then ended.error end,
        job_states.at - coalesce(succeeded.finished_at, j.expected_since) > make_interval(secs => j.late_after_seconds),
        coalesce(not ended.succeeded, false)
    from ops.jobs as j
    left join lateral (
        select r.started_at from ops.job_runs as r where r.job = j.name order by r.id desc limit 1
    ) as started on true
    left join lateral (
        select r.finished_at from ops.job_runs as r where r.job = j.name and r.succeeded order by r.id desc limit 1
    ) as succeeded on true
    left join lateral (
        select r.succeeded, r.error
        from ops.job_runs as r
        where r.job = j.name and r.finished_at is not null
        order by r.id desc
        limit 1
    ) as ended on true
    order by j.name;
$$;

comment on function ops.job_states(timestamptz) is
'Return the last start and success of each expected job, and whether it is late or failing.';

grant execute on function ops.job_states(timestamptz) to service_role;
