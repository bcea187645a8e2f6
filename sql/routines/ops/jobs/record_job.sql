-- ops.record_job: a job's run that is over, without an error well, in one statement: for jobs of many short runs.
--
-- In the transaction of the work itself it is written if and only if the work is.

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
'Write down a job''s run that took so long, and how it ended; answers the number of the run.';

grant execute on function ops.record_job(text, double precision, jsonb, text) to service_role;
