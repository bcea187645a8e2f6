-- Record the instructors of upcoming events that were created before events.record_occupancies, and check the rows that
-- existed before the constraints.

insert into events.occupancies (event_id, organization_id, instructor_id, starts_at, ends_at, enforced)
select
    e.id,
    e.organization_id,
    e.instructor_id,
    e.starts_at,
    e.ends_at,
    false as enforced
from events.events as e
where e.instructor_id is not null and e.ends_at > now() and e.status <> 'cancelled'
on conflict do nothing;

alter table organizations.organizations validate constraint slug_is_no_id;
alter table organizations.locations validate constraint coordinates_are_complete;
alter table organizations.locations validate constraint location_descriptions_are_readable;
alter table events.series validate constraint series_room_is_its_own;
alter table events.series validate constraint series_resources_are_few;
