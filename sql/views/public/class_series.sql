-- public.class_series: series under the name that clients of the earlier system use.

create or replace view public.class_series with (security_invoker = true) as
select
    s.id,
    s.organization_id,
    s.title,
    s.description,
    s.category,
    s.recurrence as recurrence_rule,
    s.local_start_time as start_time,
    s.time_zone as timezone,
    s.start_date,
    s.end_date,
    s.duration_minutes,
    s.capacity,
    s.price_cents,
    s.currency,
    s.location_id,
    s.instructor_id,
    s.policy_id,
    s.status,
    s.created_at,
    s.updated_at
from events.series as s;

comment on view public.class_series is 'events.series under the earlier name. Always current.';

grant select on public.class_series to app_read;
