-- messaging.require_webhook_endpoint: lock and return an endpoint of the caller's organization.
--
-- For its admins. Internal. The lock is held until the transaction ends, so that simultaneous changes of an endpoint
-- run one after the other.
--
-- Refuses: 404 webhook_endpoint_not_found, also for an endpoint of another organization; 403 forbidden.

create or replace function messaging.require_webhook_endpoint(endpoint_id uuid)
returns messaging.webhook_endpoints
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_endpoint messaging.webhook_endpoints;
begin
    select e.* into the_endpoint
    from messaging.webhook_endpoints as e
    where
        e.id = require_webhook_endpoint.endpoint_id
        and e.organization_id = nullif(ops.claims() ->> 'org_id', '')::uuid
        and (ops.caller_is_service() or e.organization_id in (select public.user_orgs()))
    for no key update;

    if not found then
        raise exception using errcode = 'PT404', message = 'webhook_endpoint_not_found';
    end if;

    perform messaging.webhook_organization();
    return the_endpoint;
end;
$$;

comment on function messaging.require_webhook_endpoint(uuid) is
'Lock and return an endpoint of the caller''s organization, for one of its admins.';
