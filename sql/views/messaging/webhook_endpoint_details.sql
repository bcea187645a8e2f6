-- messaging.webhook_endpoint_details: the endpoints of the organization that the caller acts for, without secrets.

create or replace view messaging.webhook_endpoint_details with (security_invoker = true) as
select
    e.id,
    e.organization_id,
    e.url,
    e.topics,
    e.description,
    e.enabled,
    e.disabled_at,
    e.disabled_reason,
    e.failing_since,
    e.failures,
    e.previous_secret_expires_at,
    e.created_at,
    e.updated_at
from messaging.webhook_endpoints as e
where e.organization_id = nullif((select ops.claims()) ->> 'org_id', '')::uuid;

comment on view messaging.webhook_endpoint_details is
'The endpoints of the organization that the caller acts for, without secrets.';

grant select on messaging.webhook_endpoint_details to app_read;
