-- messaging.resend_webhook_delivery: send a delivery again now, in any status. For admins.
--
-- The webhook-id stays the same, so that a receiver can recognize a repetition. The retry schedule restarts. A delivery
-- that a worker is sending at this moment is not changed. Locks the endpoint. Returns the delivery's id.
--
-- Refuses: 404 webhook_delivery_not_found; 403 forbidden; 409 webhook_endpoint_disabled.

create or replace function messaging.resend_webhook_delivery(
    delivery_id uuid, at timestamptz default statement_timestamp()
)
returns uuid
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_endpoint messaging.webhook_endpoints;
begin
    select e.* into the_endpoint
    from messaging.webhook_deliveries as d
    inner join messaging.webhook_endpoints as e on e.id = d.endpoint_id
    where
        d.id = resend_webhook_delivery.delivery_id
        and e.organization_id = nullif(ops.claims() ->> 'org_id', '')::uuid
        and (ops.caller_is_service() or e.organization_id in (select public.user_orgs()));

    if not found then
        raise exception using errcode = 'PT404', message = 'webhook_delivery_not_found';
    end if;

    the_endpoint := messaging.require_webhook_endpoint(the_endpoint.id);
    if not the_endpoint.enabled then
        raise exception using errcode = 'PT409', message = 'webhook_endpoint_disabled';
    end if;

    update messaging.webhook_deliveries as d
    set
        status = 'pending', tries = 0, next_attempt_at = resend_webhook_delivery.at, lease_until = null,
        delivered_at = null
    where
        d.id = resend_webhook_delivery.delivery_id
        and (d.lease_until <= resend_webhook_delivery.at) is not false;

    return resend_webhook_delivery.delivery_id;
end;
$$;

comment on function messaging.resend_webhook_delivery(uuid, timestamptz) is
'Send a delivery again now, under the same webhook-id; returns its id.';

grant execute on function messaging.resend_webhook_delivery(uuid, timestamptz) to authenticated, service_role;
