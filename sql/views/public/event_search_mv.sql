-- public.event_search_mv: public scheduled events for the searches of the earlier system. A plain view, always current.
--
-- It has one row for each event, because no join can multiply it.

create or replace view public.event_search_mv with (security_invoker = true) as
select
    e.id as event_id,
    e.series_id,
    e.organization_id,
    o.name as organization_name,
    e.title,
    e.description,
    e.category,
    e.starts_at as start_at,
    e.ends_at as end_at,
    e.time_zone as timezone,
    e.price_cents,
    e.currency,
    events.price_tier(e.price_cents, c.decimal_places) as price_tier,
    e.location_id,
    l.name as location_name,
    l.city,
    l.country,
    e.instructor_id,
    p.name as instructor_name,
    i.capacity::integer as capacity,
    i.taken::integer as reg_count,
    events.seats_left(i) as available_spots,
    events.availability_v2(i.capacity, events.seats_left(i)) as availability_status,
    e.search as search_vector
from events.events as e
inner join events.inventory as i on e.id = i.event_id
inner join organizations.organizations as o on e.organization_id = o.id
inner join ref.currencies as c on e.currency = c.code
left join organizations.locations as l on e.location_id = l.id
left join organizations.instructors as p on e.instructor_id = p.id
where e.visibility = 'public' and e.status = 'scheduled';

comment on view public.event_search_mv is
'Public scheduled events for the searches of the earlier system. Always current.';

grant select on public.event_search_mv to app_read;
