-- messaging.disable_webhook_endpoint: stop all deliveries to an endpoint.
--
-- Its pending deliveries fail; they can be resent once the endpoint is enabled again. A message notifies the
-- organization's admins, unless it was disabled by hand (`by_hand`) or has no admins (`no_admin`). Locks the endpoint,
-- then its pending deliveries in id order. A repeated call changes nothing. Internal. Returns whether the endpoint was
-- enabled.

create or replace function messaging.disable_webhook_endpoint(
    endpoint_id uuid, reason text, at timestamptz default statement_timestamp()
)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_endpoint messaging.webhook_endpoints;
begin
    update messaging.webhook_endpoints as e
    set
        enabled = false,
        disabled_at = disable_webhook_endpoint.at,
        disabled_reason = disable_webhook_endpoint.reason,
        updated_at = disable_webhook_endpoint.at
    where e.id = disable_webhook_endpoint.endpoint_id and e.enabled
    returning * into the_endpoint;

    if not found then
        return false;
    end if;

    with locked as materialized (
        select d.id
        from messaging.webhook_deliveries as d
        where d.endpoint_id = the_endpoint.id and d.status = 'pending'
        order by d.id
        for update
    )

    update messaging.webhook_deliveries as d
    set status = 'failed', next_attempt_at = null, lease_until = null, last_error = 'endpoint_disabled'
    from locked as l
    where l.id = d.id;

    if disable_webhook_endpoint.reason not in ('by_hand', 'no_admin') then
        insert into public.outbox (topic, key, payload)
        values (
            'webhook_endpoint.disabled', 'webhook_endpoint:' || the_endpoint.id,
            messaging.endpoint_payload(the_endpoint)
        );
    end if;
    return true;
end;
$$;

comment on function messaging.disable_webhook_endpoint(uuid, text, timestamptz) is
'Stop all deliveries to an endpoint; returns whether it was enabled.';
