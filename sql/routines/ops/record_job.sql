-- ops.record_job: a job's run that is over and went well, in one statement, for jobs that report many short runs.
--
-- In the transaction of the work itself it is written if and only if the work is.

create or replace function ops.record_job(job text, seconds double precision, result jsonb)
returns bigint
language sql
security definer
set search_path = ''
as $$
    insert into ops.job_runs (job, started_at, finished_at, succeeded, result)
    values (
        record_job.job,
        clock_timestamp() - make_interval(secs => record_job.seconds),
        clock_timestamp(),
        true,
        record_job.result
    )
    returning id;
$$;

comment on function ops.record_job(text, double precision, jsonb) is
'Write down a job''s run that took so long and went well; answers the number of the run.';

grant execute on function ops.record_job(text, double precision, jsonb) to service_role;
