-- public.get_cron_job_status: return the state of each scheduled job from ops.job_states, under the earlier system's
-- name.

create or replace function public.get_cron_job_status()
returns table (
    jobname text,
    last_run timestamptz,
    last_success timestamptz,
    last_error text,
    active boolean
)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select s.job, s.last_started_at, s.last_succeeded_at, s.last_error, not s.late
    from ops.job_states() as s;
$$;

comment on function public.get_cron_job_status() is
'Return the state of each scheduled job from ops.job_states, under the earlier system''s name.';

grant execute on function public.get_cron_job_status() to service_role;
