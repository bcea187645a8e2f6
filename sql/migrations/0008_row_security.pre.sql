-- Who may see what. Row security is on for every table; writes go through routines, which check for themselves,
-- so that the roles of callers hold no right to write at all. Claims are read once per statement: (select …).

grant select on
ref.currencies, ref.countries, ref.timezones, ref.event_categories, ref.languages,
organizations.organizations, organizations.locations, organizations.instructors, organizations.policies,
organizations.memberships,
users.profiles,
events.series, events.events, events.occurrences, events.terms, events.inventory,
events.bookings, events.holds, events.waitlist_entries,
ops.transitions, ops.state_history,
messaging.notifications
to app_read;

grant select, insert, update, delete on
organizations.organizations, organizations.locations, organizations.instructors, organizations.policies,
organizations.memberships,
users.profiles,
messaging.notifications, messaging.deliveries,
ops.rate_limit_rules, ops.partition_policies, ops.alert_rules, ops.job_runs,
ops.performance_metrics, ops.performance_metrics_hourly, ops.health_checks
to app_write;

grant select on
ops.idempotency_keys, ops.rate_limits, ops.alerts, public.outbox
to app_write;

alter table ref.currencies enable row level security;
alter table ref.countries enable row level security;
alter table ref.timezones enable row level security;
alter table ref.event_categories enable row level security;
alter table ref.languages enable row level security;
alter table users.profiles enable row level security;
alter table organizations.organizations enable row level security;
alter table organizations.memberships enable row level security;
alter table organizations.locations enable row level security;
alter table organizations.instructors enable row level security;
alter table organizations.policies enable row level security;
alter table events.series enable row level security;
alter table events.events enable row level security;
alter table events.events_default enable row level security;
alter table events.occurrences enable row level security;
alter table events.terms enable row level security;
alter table events.inventory enable row level security;
alter table events.bookings enable row level security;
alter table events.holds enable row level security;
alter table events.waitlist_entries enable row level security;
alter table ops.transitions enable row level security;
alter table ops.state_history enable row level security;
alter table ops.idempotency_keys enable row level security;
alter table ops.rate_limit_rules enable row level security;
alter table ops.rate_limits enable row level security;
alter table ops.job_runs enable row level security;
alter table ops.partition_policies enable row level security;
alter table ops.performance_metrics enable row level security;
alter table ops.performance_metrics_default enable row level security;
alter table ops.performance_metrics_hourly enable row level security;
alter table ops.health_checks enable row level security;
alter table ops.alert_rules enable row level security;
alter table ops.alerts enable row level security;
alter table public.outbox enable row level security;
alter table messaging.notifications enable row level security;
alter table messaging.deliveries enable row level security;

-- The service sees and may touch what its grants allow, in every row.
create policy service on users.profiles to service_role using (true) with check (true);
create policy service on organizations.organizations to service_role using (true) with check (true);
create policy service on organizations.memberships to service_role using (true) with check (true);
create policy service on organizations.locations to service_role using (true) with check (true);
create policy service on organizations.instructors to service_role using (true) with check (true);
create policy service on organizations.policies to service_role using (true) with check (true);
create policy service on events.series to service_role using (true) with check (true);
create policy service on events.events to service_role using (true) with check (true);
create policy service on events.occurrences to service_role using (true) with check (true);
create policy service on events.terms to service_role using (true) with check (true);
create policy service on events.inventory to service_role using (true) with check (true);
create policy service on events.bookings to service_role using (true) with check (true);
create policy service on events.holds to service_role using (true) with check (true);
create policy service on events.waitlist_entries to service_role using (true) with check (true);
create policy service on ops.transitions to service_role using (true) with check (true);
create policy service on ops.state_history to service_role using (true) with check (true);
create policy service on ops.idempotency_keys to service_role using (true) with check (true);
create policy service on ops.rate_limit_rules to service_role using (true) with check (true);
create policy service on ops.rate_limits to service_role using (true) with check (true);
create policy service on ops.job_runs to service_role using (true) with check (true);
create policy service on ops.partition_policies to service_role using (true) with check (true);
create policy service on ops.performance_metrics to service_role using (true) with check (true);
create policy service on ops.performance_metrics_hourly to service_role using (true) with check (true);
create policy service on ops.health_checks to service_role using (true) with check (true);
create policy service on ops.alert_rules to service_role using (true) with check (true);
create policy service on ops.alerts to service_role using (true) with check (true);
create policy service on public.outbox to service_role using (true) with check (true);
create policy service on messaging.notifications to service_role using (true) with check (true);
create policy service on messaging.deliveries to service_role using (true) with check (true);

-- Reference data: anyone.
create policy anyone on ref.currencies for select using (true);
create policy anyone on ref.countries for select using (true);
create policy anyone on ref.timezones for select using (true);
create policy anyone on ref.event_categories for select using (true);
create policy anyone on ref.languages for select using (true);

-- The public face of an organization: anyone.
create policy anyone on organizations.organizations for select to anon, authenticated using (true);
create policy anyone on organizations.locations for select to anon, authenticated using (true);
create policy anyone on organizations.instructors for select to anon, authenticated using (true);

create policy members on organizations.policies for select to authenticated
using (organization_id in (select public.user_orgs()));

create policy own on organizations.memberships for select to authenticated
using (user_id = (select ops.caller_id()));

create policy admins on organizations.memberships for select to authenticated
using (organization_id in (select organizations.orgs_as('admin', 'owner')));

create policy own on users.profiles for select to authenticated
using (id = (select ops.caller_id()));

-- What is on: what is public and no draft by anyone, the rest by members.
create policy published on events.events for select to anon, authenticated
using (visibility = 'public' and status <> 'draft');

create policy members on events.events for select to authenticated
using (organization_id in (select public.user_orgs()));

create policy published on events.series for select to anon, authenticated
using (visibility = 'public' and status <> 'archived');

create policy members on events.series for select to authenticated
using (organization_id in (select public.user_orgs()));

create policy published on events.terms for select to anon, authenticated
using (visibility = 'public' and status <> 'draft');

create policy members on events.terms for select to authenticated
using (organization_id in (select public.user_orgs()));

-- Whoever has a booking of a private event may see what it is.
create policy booked on events.events for select to authenticated
using (id in (select b.event_id from events.bookings as b where b.customer_id = (select ops.caller_id())));

create policy booked on events.terms for select to authenticated
using (event_id in (select b.event_id from events.bookings as b where b.customer_id = (select ops.caller_id())));

-- Seats and occurrences follow what the caller may see of the event.
create policy visible_event on events.inventory for select to anon, authenticated
using (exists (select from events.terms as t where t.event_id = inventory.event_id));

create policy visible_series on events.occurrences for select to anon, authenticated
using (exists (select from events.series as s where s.id = occurrences.series_id));

-- A customer's own, and what the staff of the organization must see.
create policy own on events.bookings for select to authenticated
using (customer_id = (select ops.caller_id()));

create policy staff on events.bookings for select to authenticated
using (organization_id in (
    select organizations.orgs_as('front_desk', 'accountant', 'viewer', 'editor', 'admin', 'owner')
));

create policy own on events.holds for select to authenticated
using (customer_id = (select ops.caller_id()));

create policy staff on events.holds for select to authenticated
using (exists (
    select
    from events.terms as t
    where
        t.event_id = holds.event_id
        and t.organization_id in (
            select organizations.orgs_as('front_desk', 'viewer', 'editor', 'admin', 'owner')
        )
));

create policy own on events.waitlist_entries for select to authenticated
using (customer_id = (select ops.caller_id()));

create policy staff on events.waitlist_entries for select to authenticated
using (exists (
    select
    from events.terms as t
    where
        t.event_id = waitlist_entries.event_id
        and t.organization_id in (
            select organizations.orgs_as('front_desk', 'viewer', 'editor', 'admin', 'owner')
        )
));

create policy own on messaging.notifications for select to authenticated
using (user_id = (select ops.caller_id()));

create policy anyone on ops.transitions for select using (true);

grant execute on function ops.uuid_v7(), ops.claims(), ops.caller_id(), ops.caller_is_service() to app_read, app_write;
grant execute on function public.user_orgs(), public.current_org_id() to app_read, app_write;
grant execute on function organizations.orgs_as(organizations.member_role[]) to app_read, app_write;
grant execute on function organizations.caller_is(uuid, organizations.member_role[]) to app_read, app_write;
