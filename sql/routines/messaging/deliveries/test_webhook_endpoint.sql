-- messaging.test_webhook_endpoint: send a webhook.test message to an endpoint. For admins.
--
-- Locks the endpoint, so that the limit of ten pending tests holds for simultaneous calls. Returns the delivery's id.
--
-- Refuses: 404 webhook_endpoint_not_found; 403 forbidden; 409 webhook_endpoint_disabled; 409 tests_pending, while ten
-- tests are pending.

create or replace function messaging.test_webhook_endpoint(
    endpoint_id uuid, at timestamptz default statement_timestamp()
)
returns uuid
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_endpoint messaging.webhook_endpoints := messaging.require_webhook_endpoint(test_webhook_endpoint.endpoint_id);
    the_delivery_id uuid;
begin
    if not the_endpoint.enabled then
        raise exception using errcode = 'PT409', message = 'webhook_endpoint_disabled';
    end if;

    if 10 <= (
        select count(*)
        from messaging.webhook_deliveries as d
        where d.endpoint_id = the_endpoint.id and d.status = 'pending' and d.outbox_id is null
    ) then
        raise exception using errcode = 'PT409', message = 'tests_pending',
            detail = jsonb_build_object(
                'detail', 'Ten tests of this endpoint are not yet delivered, the maximum. Wait for them.'
            )::text;
    end if;

    insert into messaging.webhook_deliveries (endpoint_id, topic, key, payload, occurred_at, next_attempt_at)
    values (
        the_endpoint.id, 'webhook.test', 'webhook_endpoint:' || the_endpoint.id,
        jsonb_build_object('endpoint_id', the_endpoint.id, 'organization_id', the_endpoint.organization_id),
        test_webhook_endpoint.at, test_webhook_endpoint.at
    )
    returning id into the_delivery_id;
    return the_delivery_id;
end;
$$;

comment on function messaging.test_webhook_endpoint(uuid, timestamptz) is
'Send a test message to an endpoint; returns the id of its delivery.';

grant execute on function messaging.test_webhook_endpoint(uuid, timestamptz) to authenticated, service_role;
