-- messaging.endpoint_payload: return an endpoint that was disabled as its message stores it.

create or replace function messaging.endpoint_payload(endpoint messaging.webhook_endpoints)
returns jsonb
language sql
stable
return jsonb_build_object(
    'endpoint_id', (endpoint_payload.endpoint).id,
    'organization_id', (endpoint_payload.endpoint).organization_id,
    'url', (endpoint_payload.endpoint).url,
    'why', (endpoint_payload.endpoint).disabled_reason,
    'gone', (endpoint_payload.endpoint).disabled_reason = 'gone',
    'failing_since', case
        when (endpoint_payload.endpoint).disabled_reason = 'failing'
            then to_char((endpoint_payload.endpoint).failing_since at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')
    end
);

comment on function messaging.endpoint_payload(messaging.webhook_endpoints) is
'Return an endpoint that was disabled as its message stores it.';
