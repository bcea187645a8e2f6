-- ops.finish_job: record that a job's run ended. Without an error it succeeded.
--
-- A repeated call changes nothing. For the service.

create or replace function ops.finish_job(run_id bigint, result jsonb default null, error text default null)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    update ops.job_runs as r
    set
        finished_at = clock_timestamp(),
        succeeded = finish_job.error is null,
        result = finish_job.result,
        error = left(finish_job.error, 2000)
    where r.id = finish_job.run_id and r.finished_at is null;
$$;

comment on function ops.finish_job(bigint, jsonb, text) is
'Record that a job''s run ended; without an error it succeeded.';

grant execute on function ops.finish_job(bigint, jsonb, text) to service_role;
