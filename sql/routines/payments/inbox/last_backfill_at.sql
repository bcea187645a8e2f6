-- payments.last_backfill_at: return when the last successful backfill of missed Stripe events started.
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
'Return when the last successful backfill of missed Stripe events started.';

grant execute on function payments.last_backfill_at(text) to service_role;
