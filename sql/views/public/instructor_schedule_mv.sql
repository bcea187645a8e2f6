-- public.instructor_schedule_mv: events by instructor, under the name that the earlier system used.
--
-- It is a plain view and always current, although its name says materialized. It has one row for each event with an
-- instructor. The attended seats are those of bookings that the caller may see.

create or replace view public.instructor_schedule_mv with (security_invoker = true) as
select
    e.instructor_id,
    p.name as instructor_name,
    e.organization_id,
    e.id as event_id,
    e.series_id,
    e.title,
    e.status,
    e.starts_at,
    e.ends_at,
    e.starts_at at time zone e.time_zone as local_start,
    e.ends_at at time zone e.time_zone as local_end,
    e.time_zone,
    l.name as location_name,
    i.capacity::integer as capacity,
    i.taken::integer as seats_taken,
    i.held::integer as seats_held,
    i.waitlisted::integer as waitlisted,
    round(100.0 * i.taken / nullif(i.capacity, 0), 1) as utilization_percent,
    (
        select coalesce(sum(b.seats), 0)::integer
        from events.bookings as b
        where b.event_id = e.id and b.status = 'attended'
    ) as attended
from events.events as e
inner join events.inventory as i on i.event_id = e.id
inner join organizations.instructors as p on p.id = e.instructor_id
left join organizations.locations as l on l.id = e.location_id;

comment on view public.instructor_schedule_mv is 'Events by instructor, with their seats and utilization.';

grant select on public.instructor_schedule_mv to app_read;
