-- messaging.update_webhook_endpoint: change an endpoint's URL, topics or description, enable it or disable it.
--
-- `changes` has the columns that change: url, topics (null: all), description, enabled. For admins. Enabling a disabled
-- endpoint resets its count of failures. While it is disabled, no deliveries are created for it; failed ones can be
-- resent later. Disabling fails the pending deliveries (messaging.disable_webhook_endpoint). Locks the endpoint.
-- Returns it.
--
-- Refuses: 404 webhook_endpoint_not_found; 403 forbidden.

create or replace function messaging.update_webhook_endpoint(
    endpoint_id uuid, changes jsonb, at timestamptz default statement_timestamp()
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_endpoint messaging.webhook_endpoints := messaging.require_webhook_endpoint(update_webhook_endpoint.endpoint_id);
    the_changed messaging.webhook_endpoints := jsonb_populate_record(the_endpoint, update_webhook_endpoint.changes);
begin
    if the_endpoint.enabled and not the_changed.enabled then
        perform messaging.disable_webhook_endpoint(the_endpoint.id, 'by_hand', update_webhook_endpoint.at);
    end if;

    update messaging.webhook_endpoints as e
    set
        url = the_changed.url,
        topics = the_changed.topics,
        description = the_changed.description,
        enabled = the_changed.enabled,
        disabled_at = case when not the_changed.enabled then e.disabled_at end,
        disabled_reason = case when not the_changed.enabled then e.disabled_reason end,
        failing_since = case when the_endpoint.enabled then e.failing_since end,
        failures = case when the_endpoint.enabled then e.failures else 0 end,
        updated_at = update_webhook_endpoint.at
    where e.id = the_endpoint.id
    returning * into the_endpoint;

    return to_jsonb(the_endpoint);
end;
$$;

comment on function messaging.update_webhook_endpoint(uuid, jsonb, timestamptz) is
'Change an endpoint''s URL, topics or description, enable it or disable it.';

grant execute on function messaging.update_webhook_endpoint(uuid, jsonb, timestamptz) to authenticated, service_role;
