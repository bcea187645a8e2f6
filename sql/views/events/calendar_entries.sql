-- events.calendar_entries: calendar entries of the events that the caller may see.
--
-- `sequence` grows with each change, as RFC 5545 requires: those of the event, and those of the names and the address
-- that the entry shows. For an event whose changes were not counted yet, it starts with the seconds from the creation
-- to the last change.

create or replace view events.calendar_entries with (security_invoker = true) as
select
    e.id as event_id,
    e.series_id,
    e.organization_id,
    e.title,
    e.description,
    e.visibility,
    e.status,
    e.starts_at,
    e.ends_at,
    e.created_at,
    e.updated_at,
    o.name as organization_name,
    p.name as instructor_name,
    l.name as location_name,
    l.address as location_address,
    l.city as location_city,
    greatest(e.sequence, ceil(extract(epoch from e.updated_at - e.created_at))::bigint)
    + o.calendar_changes + coalesce(l.calendar_changes, 0) + coalesce(p.calendar_changes, 0) as sequence
from events.events as e
inner join organizations.organizations as o on e.organization_id = o.id
left join organizations.locations as l on e.location_id = l.id
left join organizations.instructors as p on e.instructor_id = p.id;

comment on view events.calendar_entries is 'Calendar entries of the events that the caller may see.';

grant select on events.calendar_entries to app_read;
