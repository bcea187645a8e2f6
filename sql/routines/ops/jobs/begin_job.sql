-- ops.begin_job: a job starts. Answers the number of its run, for ops.finish_job.

create or replace function ops.begin_job(job text)
returns bigint
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    insert into ops.job_runs (job) values (begin_job.job) returning id;
$$;

comment on function ops.begin_job(text) is 'Write down that a job starts; answers the number of the run.';

grant execute on function ops.begin_job(text) to service_role;
