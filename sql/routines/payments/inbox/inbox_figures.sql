-- payments.inbox_figures: return the age of the oldest Stripe event and the number of parked ones, for the health
-- checks.
--
-- The age counts events that still wait for processing, even if they were tried or postponed before. Internal.

create or replace function payments.inbox_figures(at timestamptz default statement_timestamp())
returns table (name text, value double precision, unit text, status text, details jsonb)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select f.*
    from (
        select min(i.received_at) as oldest
        from payments.webhook_inbox as i
        where i.status in ('received', 'failed')
    ) as i
    cross join lateral ops.age_figure('webhook_inbox_age_seconds', i.oldest, 300, 1800, inbox_figures.at) as f
    union all
    select
        'webhooks_parked', count(*)::double precision, 'events', ops.health_status(count(*), 1, 100),
        coalesce(jsonb_object_agg(i.event_id, i.type) filter (where i.place <= 100), '{}')
    from (
        select p.event_id, p.type, row_number() over (order by p.received_at, p.event_id) as place
        from payments.webhook_inbox as p
        where p.status = 'parked'
    ) as i;
$$;

comment on function payments.inbox_figures(timestamptz) is
'Return the age of the oldest Stripe event and the number of parked ones, for the health checks.';
