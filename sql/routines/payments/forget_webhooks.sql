-- payments.forget_webhooks: drop events that were dealt with long ago.
--
-- Stripe lists its events for thirty days; after ninety none can come again. Bounded; answers how many were dropped.

create or replace function payments.forget_webhooks(
    most integer default 5000,
    at timestamptz default statement_timestamp()
)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    dropped integer;
begin
    with old as materialized (
        select i.event_id
        from payments.webhook_inbox as i
        where
            i.created_at < forget_webhooks.at - interval '90 days'
            and i.handled_at < forget_webhooks.at - interval '90 days'
        limit forget_webhooks.most
        for update skip locked
    )

    delete from payments.webhook_inbox as i
    using old as o
    where i.event_id = o.event_id;

    get diagnostics dropped = row_count;
    return dropped;
end;
$$;

comment on function payments.forget_webhooks(integer, timestamptz) is
'Drop events of Stripe that were dealt with more than ninety days ago; answers how many.';

grant execute on function payments.forget_webhooks(integer, timestamptz) to service_role;
