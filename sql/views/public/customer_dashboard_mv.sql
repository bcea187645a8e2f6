-- public.customer_dashboard_mv: figures of a customer at an organization, under the name that the earlier system used.
--
-- It is a plain view and always current, although its name says materialized. Bookings, waitlist entries and purchases
-- are one list. They are not joined, so no row is counted twice. The spending is that of payments.spending, in the
-- organization's currency.

create or replace view public.customer_dashboard_mv with (security_invoker = true) as
select
    d.customer_id,
    d.organization_id,
    o.name as organization_name,
    o.time_zone,
    count(d.booking) as total_bookings,
    count(*) filter (where d.booking in ('pending_payment', 'held')) as pending_bookings,
    count(*) filter (where d.booking = 'confirmed') as confirmed_bookings,
    count(*) filter (where d.booking = 'cancelled') as cancelled_bookings,
    count(*) filter (where d.booking = 'refunded') as refunded_bookings,
    count(*) filter (where d.booking = 'attended') as attended_bookings,
    count(*) filter (where d.booking = 'no_show') as no_show_bookings,
    count(*) filter (where d.booking = 'expired') as expired_bookings,
    count(*) filter (where d.booking = 'confirmed' and d.starts_at > statement_timestamp()) as upcoming_bookings,
    min(d.starts_at) filter (where d.booking = 'confirmed' and d.starts_at > statement_timestamp()) as next_event_at,
    max(d.created_at) filter (where d.booking is not null) as last_booking_at,
    payments.spending_at(d.customer_id, d.organization_id, o.currency) as total_spent_cents,
    o.currency,
    count(*) filter (where d.wait in ('waiting', 'offered')) as waitlist_places
from (
    select
        b.customer_id,
        b.organization_id,
        b.status as booking,
        null::events.waitlist_status as wait,
        t.starts_at,
        b.created_at
    from events.bookings as b
    left join events.terms as t on t.event_id = b.event_id
    union all
    select
        w.customer_id,
        t.organization_id,
        null::events.booking_status as booking,
        w.status as wait,
        t.starts_at,
        w.joined_at as created_at
    from events.waitlist_entries as w
    inner join events.terms as t on t.event_id = w.event_id
    union all
    select
        p.customer_id,
        p.organization_id,
        null::events.booking_status as booking,
        null::events.waitlist_status as wait,
        null as starts_at,
        p.created_at
    from payments.purchases as p
) as d
inner join organizations.organizations as o on o.id = d.organization_id
group by d.customer_id, d.organization_id, o.id;

comment on view public.customer_dashboard_mv is
'Bookings, spending and waitlist entries of customers, by organization.';

grant select on public.customer_dashboard_mv to app_read;
