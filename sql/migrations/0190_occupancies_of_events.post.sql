-- Record the instructors of upcoming events that were created before events.record_occupancies.

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
