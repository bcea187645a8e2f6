-- events.booking_calendar_entries: calendar entries of the bookings that the caller may see.
--
-- `sequence` grows with each change of the event and of the booking. A booking that was cancelled before its changes
-- were counted adds the seconds from the event's creation to the cancellation (events.count_booking_changes).

create or replace view events.booking_calendar_entries with (security_invoker = true) as
select
    c.event_id,
    c.title,
    c.description,
    c.status,
    c.starts_at,
    c.ends_at,
    greatest(c.updated_at, b.cancelled_at) as updated_at,
    c.organization_name,
    c.instructor_name,
    c.location_name,
    c.location_address,
    c.location_city,
    c.sequence + case
        when b.sequence = 0 and b.cancelled_at is not null
        then greatest(floor(extract(epoch from b.cancelled_at - c.created_at))::bigint + 1, 0)
        else b.sequence
    end as sequence,
    b.id as booking_id,
    b.customer_id,
    b.status::text as booking_status,
    b.seats::integer as seats
from events.bookings as b
inner join events.terms as t on t.event_id = b.event_id
inner join events.calendar_entries as c on c.event_id = b.event_id and c.starts_at = t.starts_at
where b.status in ('confirmed', 'attended', 'no_show', 'cancelled', 'refunded');

comment on view events.booking_calendar_entries is 'Calendar entries of the bookings that the caller may see.';

grant select on events.booking_calendar_entries to app_read;
