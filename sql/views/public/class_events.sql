-- public.class_events: events with their seats under the name that clients of the earlier system use.

create or replace view public.class_events with (security_invoker = true) as
select
    e.id,
    e.series_id,
    e.organization_id,
    e.title,
    e.description,
    e.starts_at as start_at,
    e.ends_at as end_at,
    e.time_zone as timezone,
    e.price_cents,
    e.currency,
    e.status,
    e.visibility,
    e.location_id,
    e.instructor_id,
    i.capacity::integer as capacity,
    i.taken::integer as reg_count,
    i.waitlisted::integer as waitlist_count,
    e.created_at,
    e.updated_at
from events.events as e
inner join events.inventory as i on e.id = i.event_id;

comment on view public.class_events is
'events.events with their seats under the earlier name. Always current.';

grant select on public.class_events to app_read;
