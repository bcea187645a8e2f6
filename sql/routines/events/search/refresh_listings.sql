-- events.refresh_listings: write the listings of events that the transaction changed.
--
-- Locks the names of organizers, places and instructors against a change, in this order, then the listings, each by id.
-- A rename that has not committed yet is waited for, so its listings never keep the former name.
--
-- Internal: runs with the rights of the routine that calls it.

create or replace function events.refresh_listings(event_ids uuid[])
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    organization_ids uuid[];
    location_ids uuid[];
    instructor_ids uuid[];
begin
    select array_agg(distinct e.organization_id), array_agg(distinct e.location_id), array_agg(distinct e.instructor_id)
    into organization_ids, location_ids, instructor_ids
    from events.terms as t
    inner join events.events as e on e.id = t.event_id and e.starts_at = t.starts_at
    where
        t.event_id = any (refresh_listings.event_ids)
        and t.visibility = 'public'
        and t.status = 'scheduled';

    perform from organizations.organizations as o where o.id = any (organization_ids) order by o.id for share;
    perform from organizations.locations as l where l.id = any (location_ids) order by l.id for share;
    perform from organizations.instructors as i where i.id = any (instructor_ids) order by i.id for share;
    perform
    from events.listings as l
    where l.event_id = any (refresh_listings.event_ids)
    order by l.event_id
    for update;

    perform events.write_listings(refresh_listings.event_ids);
end;
$$;

comment on function events.refresh_listings(uuid[]) is 'Write the listings of events that the transaction changed.';
