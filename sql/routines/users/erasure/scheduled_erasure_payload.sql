-- users.scheduled_erasure_payload: return the message to a person whose erasure is scheduled.
--
-- The date is that of the person's zone, if their token names one, otherwise of UTC.

create or replace function users.scheduled_erasure_payload(request users.erasure_requests)
returns jsonb
language sql
stable
return jsonb_build_object(
    'customer_id', (scheduled_erasure_payload.request).user_id,
    'requested_at', (scheduled_erasure_payload.request).requested_at,
    'due_at', (scheduled_erasure_payload.request).due_at,
    'due_on', (
        (scheduled_erasure_payload.request).due_at at time zone coalesce(
            (select z.name from ref.timezones as z where z.name = ops.claims() ->> 'zoneinfo'), 'UTC'
        )
    )::date
);

comment on function users.scheduled_erasure_payload(users.erasure_requests) is
'Return the message to a person whose erasure is scheduled.';
