-- events.count_named_changes: return how often the names and addresses changed that an event shows in calendars.
--
-- Locks the organization, the place and the instructor against a change, in this order. A change that has not committed
-- is waited for, so that it is in the number. Internal: runs with the rights of the routine that calls it.

create or replace function events.count_named_changes(organization_id uuid, location_id uuid, instructor_id uuid)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    of_organization bigint;
    of_location bigint;
    of_instructor bigint;
begin
    select o.calendar_changes into of_organization
    from organizations.organizations as o
    where o.id = count_named_changes.organization_id
    for share;

    select l.calendar_changes into of_location
    from organizations.locations as l
    where l.id = count_named_changes.location_id
    for share;

    select i.calendar_changes into of_instructor
    from organizations.instructors as i
    where i.id = count_named_changes.instructor_id
    for share;

    return coalesce(of_organization, 0) + coalesce(of_location, 0) + coalesce(of_instructor, 0);
end;
$$;

comment on function events.count_named_changes(uuid, uuid, uuid) is
'Return how often the names and addresses changed that an event shows in calendars, and lock them.';
