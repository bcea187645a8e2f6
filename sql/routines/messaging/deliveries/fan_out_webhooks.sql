-- messaging.fan_out_webhooks: create a delivery of each message for each endpoint that subscribes to its topic.
--
-- `happenings` is a list of messages: {id, topic, key, payload, created_at}. An enabled endpoint receives the messages
-- of its organization (payload.organization_id) and of its topics that were created after it. A repeated call creates
-- no second delivery of a message to an endpoint. For the service. Returns the number of deliveries created.

create or replace function messaging.fan_out_webhooks(
    happenings jsonb, at timestamptz default statement_timestamp()
)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    made integer;
begin
    insert into messaging.webhook_deliveries (
        endpoint_id, outbox_id, topic, key, payload, occurred_at, next_attempt_at
    )
    select e.id, h.id, h.topic, h.key, h.payload, h.created_at, fan_out_webhooks.at
    from jsonb_to_recordset(fan_out_webhooks.happenings) as h (
        id bigint, topic text, key text, payload jsonb, created_at timestamptz
    )
    inner join messaging.webhook_endpoints as e on e.organization_id = (h.payload ->> 'organization_id')::uuid
    where
        e.enabled
        and (e.topics is null or h.topic = any(e.topics))
        and h.created_at >= e.created_at
    order by e.id, h.id
    on conflict on constraint one_delivery_a_cause do nothing;

    get diagnostics made = row_count;
    return made;
end;
$$;

comment on function messaging.fan_out_webhooks(jsonb, timestamptz) is
'Create a delivery of each message for each endpoint that subscribes to its topic; returns the number.';

grant execute on function messaging.fan_out_webhooks(jsonb, timestamptz) to service_role;
