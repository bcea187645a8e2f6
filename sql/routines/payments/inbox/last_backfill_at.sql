-- payments.last_backfill_at: when the last successful run began of the job that asks Stripe for missed events.
--
-- Null before the first one.

create or replace function payments.last_backfill_at(job text)
returns timestamptz
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select r.started_at
    from ops.job_runs as r
    where r.job = last_backfill_at.job and r.succeeded
    order by r.id desc
    limit 1;
$$;

comment on function payments.last_backfill_at(text) is
'When the last successful run of the job began that asks Stripe for missed events.';

grant execute on function payments.last_backfill_at(text) to service_role;
