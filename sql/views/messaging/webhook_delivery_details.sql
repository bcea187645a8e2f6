-- messaging.webhook_delivery_details: deliveries to the organization's endpoints, with the result of each attempt.

create or replace view messaging.webhook_delivery_details with (security_invoker = true) as
select
    d.id,
    d.endpoint_id,
    d.topic,
    d.payload,
    d.occurred_at,
    d.status,
    d.attempts,
    d.next_attempt_at,
    d.last_status_code,
    d.last_error,
    d.last_duration_ms,
    d.created_at,
    d.delivered_at,
    (
        select coalesce(jsonb_agg(to_jsonb(a) - 'delivery_id' order by a.number), '[]')
        from messaging.webhook_attempts as a
        where a.delivery_id = d.id
    ) as history
from messaging.webhook_deliveries as d
inner join messaging.webhook_endpoint_details as e on e.id = d.endpoint_id;

comment on view messaging.webhook_delivery_details is
'Deliveries to the endpoints of the caller''s organization, with the result of each attempt.';

grant select on messaging.webhook_delivery_details to app_read;
