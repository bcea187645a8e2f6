-- messaging.fan_out_webhooks: a delivery for each endpoint that wants to hear of these happenings.
--
-- `happenings` is a list of {id, topic, key, payload, created_at}; an endpoint hears those of its organization
-- (payload.organization_id) and of its topics, from when it was made on. Once for each happening and endpoint, however
-- often it is called. For the service. Answers how many deliveries were made.

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
'Make a delivery for each endpoint that wants to hear of these happenings; answers how many.';

grant execute on function messaging.fan_out_webhooks(jsonb, timestamptz) to service_role;
