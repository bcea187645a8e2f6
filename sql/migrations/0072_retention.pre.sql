-- How long each kind of data is kept, and what erasing a person does with it: one table for clean-up, erasure and docs.

create table ops.retention (
    table_name text not null,
    column_name text not null,
    rule text not null default '',
    place integer not null generated always as identity,
    kind text not null constraint kind_is_known check (
        kind in ('row', 'person', 'name', 'address', 'text', 'document', 'secret', 'code', 'content', 'system')
    ),
    period interval constraint period_is_not_negative check (period >= '0'),
    is_old text,
    at_end text constraint end_is_known check (at_end in ('delete', 'null', 'replace')),
    on_erasure text not null constraint erasure_is_known check (on_erasure in ('delete', 'null', 'replace', 'keep')),
    found_by text,
    replacement text,
    reason text,
    primary key (table_name, column_name, rule),
    constraint period_says_what_ends_how check (
        (period is null) = (is_old is null) and (period is null) = (at_end is null)
    ),
    constraint period_has_a_rule check (period is null or rule <> ''),
    constraint only_rows_are_deleted_at_the_end check (at_end = 'delete' and kind = 'row' or at_end <> 'delete'),
    constraint change_names_its_rows check (on_erasure not in ('null', 'replace') or found_by is not null),
    constraint deleted_rows_are_named check (kind <> 'row' or on_erasure <> 'delete' or found_by is not null),
    constraint replacement_is_given check (
        replacement is not null or (on_erasure <> 'replace' and at_end is distinct from 'replace')
    ),
    constraint keeping_personal_data_has_a_reason check (
        on_erasure <> 'keep' or kind in ('row', 'code', 'content', 'system') or reason is not null
    )
);

comment on table ops.retention is
'What each column holds, how long it is kept, and what erasing a person does. See docs/privacy.md.';
comment on column ops.retention.table_name is 'With its schema; of a partitioned table the parent.';
comment on column ops.retention.column_name is 'A column, or * for the whole row.';
comment on column ops.retention.rule is
'Names the period: the key in the answer of ops.clean_up. Empty for what has no period of its own.';
comment on column ops.retention.place is 'Erasure follows this order.';
comment on column ops.retention.kind is
'person: a person''s id. code: ids of things, listed words. content: an organization''s. system: written by us.';
comment on column ops.retention.is_old is 'A condition on the row r; $1 is the moment at which the period began.';
comment on column ops.retention.found_by is
'A condition on the row r: $1 is the person''s id, $2 the e-mail address, $3 the names of their instructor pages.';
comment on column ops.retention.replacement is 'An expression over the row r.';

alter table ops.retention enable row level security;
create policy service on ops.retention to service_role using (true) with check (true);
grant select on ops.retention to app_write;

-- Whole rows that end by age. The first ones also end with the person.
insert into ops.retention (table_name, column_name, rule, kind, period, is_old, at_end, on_erasure, found_by, reason)
values
(
    'ops.idempotency_keys', '*', 'idempotency_keys', 'row', '7 days', 'r.created_at < $1', 'delete',
    'delete', 'r.caller_id = $1', null
),
(
    'ops.rate_limits', '*', 'rate_limits', 'row', '0', 'r.full_at <= $1', 'delete',
    'delete',
    'r.subject = ''caller:'' || $1 and r.operation in (select l.operation from ops.rate_limit_rules as l)', null
),
(
    'rating.requests', '*', 'rating_requests', 'row', '7 days', 'r.finished_at < $1', 'delete',
    'delete', 'r.caller_id = $1', null
),
(
    'messaging.deliveries', '*', 'deliveries', 'row', '30 days', 'r.created_at < $1', 'delete',
    'delete', 'r.user_id = $1', null
),
(
    'messaging.notifications', '*', 'notifications', 'row', '13 months', 'r.created_at < $1', 'delete',
    'delete', 'r.user_id = $1 or r.about_id = $1', null
),
(
    'public.outbox', '*', 'messages', 'row', '7 days', 'r.created_at < $1 and r.relayed_at < $1', 'delete',
    'keep', null, 'It holds ids and amounts only. What is not relayed or is parked stays until it is.'
),
(
    'messaging.webhook_deliveries', '*', 'webhooks', 'row', '30 days', 'r.created_at < $1 and r.status <> ''pending''',
    'delete', 'keep', null, 'It holds ids and amounts only.'
),
(
    'messaging.reminded_events', '*', 'reminded_events', 'row', '30 days', 'r.due_at < $1', 'delete',
    'keep', null, null
),
(
    'messaging.reminders', '*', 'reminders', 'row', '13 months', 'r.reminded_at < $1', 'delete',
    'keep', null, 'It names a booking, which names nobody after erasure.'
),
(
    'events.holds', '*', 'holds', 'row', '30 days',
    'r.status <> ''active'' and r.expires_at < $1 '
    'and not exists (select from events.bookings as b where b.hold_id = r.id) '
    'and not exists (select from events.waitlist_entries as w where w.hold_id = r.id)', 'delete',
    'keep', null, 'A hold is counted in the event''s inventory until it ends.'
),
(
    'ops.state_history', '*', 'state_history', 'row', '36 months', 'r.changed_at < $1', 'delete',
    'keep', null, 'It names things, and people by their ids only. Its reasons end earlier.'
),
(
    'payments.webhook_inbox', '*', 'stripe_events', 'row', '90 days', 'r.created_at < $1 and r.handled_at < $1',
    'delete', 'keep', null, 'It holds Stripe''s ids only, so that an event is handled once.'
),
(
    'ops.job_runs', '*', 'job_runs', 'row', '30 days', 'r.started_at < $1', 'delete', 'keep', null, null
),
(
    'ops.job_runs', '*', 'rating_runs', 'row', '7 days', 'r.job = ''process_ratings'' and r.started_at < $1', 'delete',
    'keep', null, null
),
(
    'ops.alerts', '*', 'alerts', 'row', '13 months', 'r.resolved_at < $1', 'delete', 'keep', null, null
),
(
    'rating.event_keys', '*', 'rating_keys', 'row', '90 days', 'r.received_at < $1', 'delete', 'keep', null, null
),
(
    'rating.calibrations', '*', 'calibrations', 'row', '13 months',
    'r.finished_at < $1 and exists ('
    'select from rating.calibrations as c where c.organization_id = r.organization_id and c.id > r.id)', 'delete',
    'keep', null, null
),
(
    'ops.performance_metrics', '*', 'metrics', 'row', '30 days',
    'r.recorded_at < least($1, coalesce('
    '(select max(h.hour) from ops.performance_metrics_hourly as h), ''-infinity''))', 'delete', 'keep', null, null
),
(
    'ops.performance_metrics_hourly', '*', 'metrics_hourly', 'row', '13 months', 'r.hour < $1', 'delete',
    'keep', null, null
),
(
    'staging.class_registrations', '*', 'imported_registrations', 'row', '90 days', 'r.loaded_at < $1', 'delete',
    'keep', null, 'The next import or ninety days delete it; name and address go with the person.'
),
(
    'staging.waitlists', '*', 'imported_waitlists', 'row', '90 days', 'r.loaded_at < $1', 'delete',
    'keep', null, 'The next import or ninety days delete it; name and address go with the person.'
),
(
    'staging.class_instances', '*', 'imported_instances', 'row', '90 days', 'r.loaded_at < $1', 'delete',
    'keep', null, 'The next import or ninety days delete it.'
),
(
    'staging.class_templates', '*', 'imported_templates', 'row', '90 days', 'r.loaded_at < $1', 'delete',
    'keep', null, 'The next import or ninety days delete it.'
),
(
    'staging.outcomes', '*', 'imported_outcomes', 'row', '90 days', 'r.loaded_at < $1', 'delete',
    'keep', null, 'The next import or ninety days delete it.'
);

insert into ops.retention (table_name, column_name, kind, on_erasure, found_by)
values
('organizations.memberships', '*', 'row', 'delete', 'r.user_id = $1'),
('ops.alert_recipients', '*', 'row', 'delete', 'r.email = $2');

-- What erasure and clean-up find rows by.
alter table messaging.notifications add column about_id uuid;
comment on column messaging.notifications.about_id is
'The customer whom the text is about, where the reader is somebody else. Their erasure deletes it.';
create index notifications_about on messaging.notifications (about_id) where about_id is not null;
create index notifications_by_age on messaging.notifications using brin (created_at);
create index reminders_by_age on messaging.reminders using brin (reminded_at);
create index webhook_deliveries_of_customer on messaging.webhook_deliveries ((payload ->> 'customer_id'));
create index requests_of_caller on rating.requests (caller_id) where caller_id is not null;
create index state_history_by_age on ops.state_history using brin (changed_at);
create index state_reasons_by_age on ops.state_history (changed_at) where reason is not null;
create index booking_reasons_by_age on events.bookings (created_at) where status_reason is not null;
create index waitlist_reasons_by_age on events.waitlist_entries (joined_at) where status_reason is not null;
create index event_reasons_by_age on events.events (starts_at) where status_reason is not null;
create index credit_notes_by_age on payments.credit_lots (created_at) where note is not null;
create index client_secrets_by_age on payments.intents (created_at) where client_secret is not null;
create index invoices_by_age on payments.invoices using brin (issued_at);
create index erased_profiles on users.profiles (erased_at) where erased_at is not null;
create index registrations_of_customer on staging.class_registrations (customer_id);
create index registrations_of_address on staging.class_registrations (lower(customer_email));
create index waitlists_of_customer on staging.waitlists (customer_id);
create index waitlists_of_address on staging.waitlists (lower(customer_email));
create index instances_of_instructor on staging.class_instances (instructor_name);
create index templates_of_instructor on staging.class_templates (instructor_name);

alter table staging.class_templates add column loaded_at timestamptz not null default now();
alter table staging.class_instances add column loaded_at timestamptz not null default now();
alter table staging.class_registrations add column loaded_at timestamptz not null default now();
alter table staging.waitlists add column loaded_at timestamptz not null default now();
alter table staging.outcomes add column loaded_at timestamptz not null default now();

-- A message that is about a customer names them, so that erasure finds what was made of it.
update messaging.webhook_deliveries as d
set payload = d.payload || jsonb_build_object('customer_id', i.customer_id)
from payments.intents as i
where d.topic = 'payment.disputed' and not d.payload ? 'customer_id' and i.id = d.key::uuid;

update public.outbox as o
set payload = o.payload || jsonb_build_object('customer_id', i.customer_id)
from payments.intents as i
where o.topic = 'payment.disputed' and not o.payload ? 'customer_id' and i.id = o.key::uuid;

-- Messages carry no text that a person wrote: reasons are read from the booking, entry or event when they are sent.
update public.outbox as o
set payload = o.payload - 'reason'
where o.topic in ('booking.cancelled', 'waitlist.expired', 'event.cancelled') and o.payload ? 'reason';

update messaging.webhook_deliveries as d
set payload = d.payload - 'reason'
where d.topic in ('booking.cancelled', 'waitlist.expired', 'event.cancelled') and d.payload ? 'reason';
