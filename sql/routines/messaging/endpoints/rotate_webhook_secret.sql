-- messaging.rotate_webhook_secret: replace an endpoint's secret. For admins.
--
-- The previous secret stays valid for 24 hours; until then each delivery has a signature for each valid secret. Locks
-- the endpoint. Returns it.
--
-- Refuses: 404 webhook_endpoint_not_found; 403 forbidden; 409 rotated_too_often.

create or replace function messaging.rotate_webhook_secret(
    endpoint_id uuid, sealed_secret text, at timestamptz default statement_timestamp()
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_endpoint messaging.webhook_endpoints := messaging.require_webhook_endpoint(rotate_webhook_secret.endpoint_id);
begin
    perform messaging.add_webhook_secret(
        the_endpoint.id, rotate_webhook_secret.sealed_secret, rotate_webhook_secret.at
    );

    update messaging.webhook_endpoints as e
    set
        previous_secret_expires_at = rotate_webhook_secret.at + interval '24 hours',
        updated_at = rotate_webhook_secret.at
    where e.id = the_endpoint.id
    returning * into the_endpoint;

    return to_jsonb(the_endpoint);
end;
$$;

comment on function messaging.rotate_webhook_secret(uuid, text, timestamptz) is
'Replace an endpoint''s secret by a sealed one; the previous one stays valid for a day.';

grant execute on function messaging.rotate_webhook_secret(uuid, text, timestamptz) to authenticated, service_role;
