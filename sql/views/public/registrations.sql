-- public.registrations: bookings under the name that clients of the earlier system use.

create or replace view public.registrations with (security_invoker = true) as
select
    b.id,
    b.event_id,
    b.organization_id,
    b.customer_id,
    b.seats,
    b.status,
    b.payment_method,
    b.price_cents,
    b.currency,
    b.created_at as booked_at,
    b.cancelled_at,
    b.status_reason as cancellation_reason
from events.bookings as b;

comment on view public.registrations is 'events.bookings under the earlier name. Always current.';

grant select on public.registrations to app_read;
