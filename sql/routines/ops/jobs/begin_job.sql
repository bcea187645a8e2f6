-- ops.begin_job: record that a job starts. Returns the number of its run, for ops.finish_job. For the service.

create or replace function ops.begin_job(job text)
returns bigint
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    insert into ops.job_runs (job) values (begin_job.job) returning id;
$$;

comment on function ops.begin_job(text) is 'Record that a job starts; returns the number of the run.';

grant execute on function ops.begin_job(text) to service_role;
