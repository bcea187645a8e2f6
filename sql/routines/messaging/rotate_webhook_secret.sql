-- messaging.rotate_webhook_secret: a new secret for an endpoint. For admins.
--
-- The old one stays valid for 24 hours; until then deliveries carry a signature by each. Answers the endpoint with its
-- new secret, shown this once.
--
-- Refuses: 404 webhook_endpoint_not_found; 403 forbidden; 409 rotated_too_often.

create or replace function messaging.rotate_webhook_secret(
    endpoint_id uuid, at timestamptz default statement_timestamp()
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_endpoint messaging.webhook_endpoints := messaging.require_webhook_endpoint(rotate_webhook_secret.endpoint_id);
    the_secret text := messaging.add_webhook_secret(the_endpoint.id, rotate_webhook_secret.at);
begin
    update messaging.webhook_endpoints as e
    set
        previous_secret_expires_at = rotate_webhook_secret.at + interval '24 hours',
        updated_at = rotate_webhook_secret.at
    where e.id = the_endpoint.id
    returning * into the_endpoint;

    return jsonb_build_object('secret', the_secret) || to_jsonb(the_endpoint);
end;
$$;

comment on function messaging.rotate_webhook_secret(uuid, timestamptz) is
'A new secret for an endpoint; the old one stays valid for a day.';

grant execute on function messaging.rotate_webhook_secret(uuid, timestamptz) to authenticated, service_role;
