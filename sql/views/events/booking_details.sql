-- events.booking_details: bookings with their events, where the caller may see both.

create or replace view events.booking_details with (security_invoker = true) as
select
    b.id,
    b.event_id,
    b.organization_id,
    b.customer_id,
    b.seats,
    b.guest,
    b.status,
    b.payment_method,
    b.price_cents,
    b.currency,
    b.created_at,
    b.cancelled_at,
    b.status_reason as reason,
    b.late,
    b.fee_cents,
    e.title as event_title,
    e.status as event_status,
    e.starts_at,
    e.ends_at,
    e.time_zone,
    b.excused
from events.bookings as b
inner join events.terms as t on t.event_id = b.event_id
inner join events.events as e on e.id = b.event_id and e.starts_at = t.starts_at;

comment on view events.booking_details is 'Bookings with their events, where the caller may see both.';

grant select on events.booking_details to app_read;
