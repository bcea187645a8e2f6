-- payments.forget_webhooks: delete Stripe events that were handled long ago, by the rule of ops.retention.
--
-- Stripe lists its events for 30 days, so after 90 days none can arrive again. Bounded by `most`. Returns the number of
-- events.

create or replace function payments.forget_webhooks(
    most integer default 5000,
    at timestamptz default statement_timestamp()
)
returns integer
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(sum(ops.apply_retention(r, forget_webhooks.at, forget_webhooks.most)), 0)::integer
    from ops.retention as r
    where r.rule = 'stripe_events';
$$;

comment on function payments.forget_webhooks(integer, timestamptz) is
'Delete Stripe events that were handled long ago, by the rule of ops.retention.';

grant execute on function payments.forget_webhooks(integer, timestamptz) to service_role;
