-- messaging.webhook_endpoint_details: the endpoints of the organization that the caller acts for, without secrets.

create or replace view messaging.webhook_endpoint_details with (security_invoker = true) as
select e.*
from messaging.webhook_endpoints as e
where e.organization_id = nullif((select ops.claims()) ->> 'org_id', '')::uuid;

comment on view messaging.webhook_endpoint_details is
'The endpoints of the organization that the caller acts for, without secrets.';

grant select on messaging.webhook_endpoint_details to app_read;
