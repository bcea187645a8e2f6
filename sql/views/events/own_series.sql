-- events.own_series: the series of the caller's organizations. A service sees the series of all organizations.

create or replace view events.own_series with (security_invoker = true) as
select
    s.id,
    s.organization_id,
    s.title,
    s.description,
    s.category,
    s.language,
    s.time_zone,
    s.recurrence,
    s.local_start_time,
    s.start_date,
    s.end_date,
    s.duration_minutes,
    s.capacity,
    s.price_cents,
    s.currency,
    s.location_id,
    s.instructor_id,
    s.policy_id,
    s.visibility,
    s.status,
    s.status_reason,
    s.generated_until,
    s.continues_series_id,
    s.created_at,
    s.updated_at,
    s.anchor_date,
    s.room_id,
    s.resource_ids
from events.series as s
where s.organization_id in (select public.user_orgs()) or (select ops.caller_is_service());

comment on view events.own_series is 'The series of the organizations that the caller is a member of.';

grant select on events.own_series to app_read;
