-- messaging.delete_webhook_endpoint: delete an endpoint with its secrets and deliveries. For admins.
--
-- Locks the endpoint. A repeated call is refused with 404.
--
-- Refuses: 404 webhook_endpoint_not_found; 403 forbidden.

create or replace function messaging.delete_webhook_endpoint(endpoint_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform messaging.require_webhook_endpoint(delete_webhook_endpoint.endpoint_id);

    delete from messaging.webhook_endpoints as e
    where e.id = delete_webhook_endpoint.endpoint_id;
end;
$$;

comment on function messaging.delete_webhook_endpoint(uuid) is
'Delete an endpoint with its secrets and deliveries.';

grant execute on function messaging.delete_webhook_endpoint(uuid) to authenticated, service_role;
