-- public.events: events under the name that clients of the earlier system use.

create or replace view public.events with (security_invoker = true) as
select
    e.id,
    e.organization_id,
    e.series_id,
    e.title,
    e.description,
    e.category,
    e.starts_at,
    e.ends_at,
    e.time_zone as timezone,
    e.price_cents,
    e.currency,
    e.status,
    e.visibility,
    e.location_id,
    e.instructor_id,
    e.created_at,
    e.updated_at
from events.events as e;

comment on view public.events is 'events.events under the earlier name. Always current.';

grant select on public.events to app_read;
