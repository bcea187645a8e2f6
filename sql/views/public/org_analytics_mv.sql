-- public.org_analytics_mv: figures of an organization, under the name that the earlier system used.
--
-- It is a plain view and always current, although its name says materialized. Events, bookings and waitlist entries are
-- summed separately before they are joined, so no sum is multiplied by a join. Days are in the organization's time
-- zone: the last 7 and 30 days are today and the 6 and 29 days before. Revenue is that of payments.revenue, in the
-- organization's currency. Active customers have booked within the last 30 days.
--
-- Bookings and waitlist entries are found by the organization's events. So the cost depends on its own rows, and
-- bookings need no further index that each sale would write.

create or replace view public.org_analytics_mv with (security_invoker = true) as
select
    o.id as organization_id,
    o.name as organization_name,
    o.time_zone,
    o.currency,
    e.total_events,
    e.upcoming_events,
    e.draft_events,
    e.scheduled_events,
    e.cancelled_events,
    e.completed_events,
    b.total_bookings,
    b.pending_bookings,
    b.confirmed_bookings,
    b.cancelled_bookings,
    b.refunded_bookings,
    b.attended_bookings,
    b.no_show_bookings,
    b.expired_bookings,
    e.seats_offered,
    e.seats_taken,
    e.utilization_percent,
    payments.revenue(o.id, begins_at => d.week_at) as revenue_7_days_cents,
    payments.revenue(o.id, begins_at => d.month_at) as revenue_30_days_cents,
    payments.revenue(o.id) as revenue_total_cents,
    b.unique_customers,
    b.active_customers,
    w.waitlist_waiting,
    w.waitlist_offered,
    w.waitlist_accepted,
    w.waitlist_total
from organizations.organizations as o
cross join lateral (
    select
        (t.today - 6)::timestamp at time zone o.time_zone as week_at,
        (t.today - 29)::timestamp at time zone o.time_zone as month_at
    from (select (statement_timestamp() at time zone o.time_zone)::date as today) as t
) as d
cross join lateral (
    select
        count(*) as total_events,
        count(*) filter (where t.status = 'scheduled' and t.starts_at > statement_timestamp()) as upcoming_events,
        count(*) filter (where t.status = 'draft') as draft_events,
        count(*) filter (where t.status = 'scheduled') as scheduled_events,
        count(*) filter (where t.status = 'cancelled') as cancelled_events,
        count(*) filter (where t.status = 'completed') as completed_events,
        coalesce(sum(i.capacity) filter (where t.status in ('scheduled', 'completed')), 0) as seats_offered,
        coalesce(sum(i.taken) filter (where t.status in ('scheduled', 'completed')), 0) as seats_taken,
        round(
            100.0 * sum(i.taken) filter (where t.status in ('scheduled', 'completed') and i.capacity > 0)
            / nullif(sum(i.capacity) filter (where t.status in ('scheduled', 'completed') and i.capacity > 0), 0), 1
        ) as utilization_percent
    from events.terms as t
    inner join events.inventory as i on i.event_id = t.event_id
    where t.organization_id = o.id
) as e
cross join lateral (
    select
        count(*) as total_bookings,
        count(*) filter (where b.status in ('pending_payment', 'held')) as pending_bookings,
        count(*) filter (where b.status = 'confirmed') as confirmed_bookings,
        count(*) filter (where b.status = 'cancelled') as cancelled_bookings,
        count(*) filter (where b.status = 'refunded') as refunded_bookings,
        count(*) filter (where b.status = 'attended') as attended_bookings,
        count(*) filter (where b.status = 'no_show') as no_show_bookings,
        count(*) filter (where b.status = 'expired') as expired_bookings,
        count(distinct b.customer_id) filter (where b.status <> 'expired') as unique_customers,
        count(distinct b.customer_id) filter (
            where b.status <> 'expired'
            and b.created_at >= d.month_at
        ) as active_customers
    from events.terms as t
    inner join events.bookings as b on b.event_id = t.event_id
    where t.organization_id = o.id
) as b
cross join lateral (
    select
        count(*) filter (where w.status = 'waiting') as waitlist_waiting,
        count(*) filter (where w.status = 'offered') as waitlist_offered,
        count(*) filter (where w.status = 'accepted') as waitlist_accepted,
        count(*) as waitlist_total
    from events.waitlist_entries as w
    inner join events.terms as t on t.event_id = w.event_id
    where t.organization_id = o.id
) as w;

comment on view public.org_analytics_mv is
'Figures of organizations: events, bookings, utilization, revenue, customers, waitlists.';

grant select on public.org_analytics_mv to app_read;
