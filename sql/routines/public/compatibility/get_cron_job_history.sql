-- public.get_cron_job_history: return the runs of scheduled jobs in the last hours, newest first, at most a thousand.
--
-- Under the earlier system's name; the rows are those of ops.job_runs.

create or replace function public.get_cron_job_history(hours_back integer default 24)
returns table (
    jobname text,
    start_time timestamptz,
    end_time timestamptz,
    status text,
    return_message text
)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select
        r.job,
        r.started_at,
        r.finished_at,
        case when r.finished_at is null then 'running' when r.succeeded then 'succeeded' else 'failed' end,
        coalesce(r.error, r.result::text)
    from ops.job_runs as r
    where r.started_at > statement_timestamp() - make_interval(hours => get_cron_job_history.hours_back)
    order by r.id desc
    limit 1000;
$$;

comment on function public.get_cron_job_history(integer) is
'Return the runs of scheduled jobs in the last hours, newest first, at most a thousand.';

grant execute on function public.get_cron_job_history(integer) to service_role;
