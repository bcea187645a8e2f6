-- ops.record_job: record a job's run after it ended, in one statement, for jobs of many short runs.
--
-- Without an error the run succeeded. A caller that records it in the transaction of the work commits both or neither.
-- Returns the number of the run. For the service.

create or replace function ops.record_job(job text, seconds double precision, result jsonb, error text default null)
returns bigint
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    insert into ops.job_runs (job, started_at, finished_at, succeeded, result, error)
    values (
        record_job.job,
        clock_timestamp() - make_interval(secs => record_job.seconds),
        clock_timestamp(),
        record_job.error is null,
        record_job.result,
        left(record_job.error, 2000)
    )
    returning id;
$$;

comment on function ops.record_job(text, double precision, jsonb, text) is
'Record a job''s run after it ended, with its duration and result; returns the number of the run.';

grant execute on function ops.record_job(text, double precision, jsonb, text) to service_role;
