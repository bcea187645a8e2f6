-- events.event_details: events with seats, location, instructor and organization, where the caller may see them.
--
-- Select by id and starts_at = (select t.starts_at from events.terms as t where t.event_id = …), so that only one
-- partition is scanned.

create or replace view events.event_details with (security_invoker = true) as
select
    e.id,
    e.series_id,
    e.organization_id,
    e.title,
    e.description,
    e.category,
    e.language,
    e.time_zone,
    e.starts_at,
    e.ends_at,
    e.price_cents,
    e.currency,
    events.price_tier(e.price_cents, c.decimal_places) as price_tier,
    e.policy,
    e.visibility,
    e.status,
    e.status_reason,
    e.created_at,
    e.updated_at,
    t.opens_at,
    events.sales_end_at(t, for_staff => false) as closes_at,
    events.offers_end_at(t) as last_offer_at,
    i.capacity::integer as capacity,
    i.taken::integer as taken,
    i.held::integer as held,
    i.waitlisted::integer as waitlisted,
    events.seats_left(i) as seats_left,
    events.availability_v2(i.capacity, events.seats_left(i)) as availability,
    events.open_to_everybody(t) as booking_open,
    events.waitlist_is_open(t, i) as waitlist_open,
    o.slug as organization_slug,
    o.name as organization_name,
    e.location_id,
    l.name as location_name,
    l.address as location_address,
    l.city as location_city,
    l.country as location_country,
    e.instructor_id,
    p.name as instructor_name,
    p.bio as instructor_bio
from events.terms as t
inner join events.events as e on t.event_id = e.id and t.starts_at = e.starts_at
inner join events.inventory as i on t.event_id = i.event_id
inner join organizations.organizations as o on e.organization_id = o.id
inner join ref.currencies as c on e.currency = c.code
left join organizations.locations as l on e.location_id = l.id
left join organizations.instructors as p on e.instructor_id = p.id;

comment on view events.event_details is
'Events with seats, location, instructor and organization, where the caller may see them.';

grant select on events.event_details to app_read;
