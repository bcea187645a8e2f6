-- Let people request a file with everything that is stored about them.

create table users.exports (
    id uuid primary key default ops.uuid_v7(),
    user_id uuid not null references users.profiles on delete cascade,
    status text not null default 'requested' constraint export_status_is_known
    check (status in ('requested', 'ready', 'failed')),
    requested_at timestamptz not null default statement_timestamp(),
    attempts integer not null default 0 constraint export_attempts_count check (attempts >= 0),
    lease_until timestamptz,
    ready_at timestamptz,
    expires_at timestamptz,
    size_bytes bigint,
    constraint ready_export_has_a_file check (
        (status = 'ready') = (ready_at is not null and expires_at is not null and size_bytes is not null)
    )
);

create unique index one_requested_export on users.exports (user_id) where status = 'requested';
create index exports_of_user on users.exports (user_id, requested_at);
create index exports_in_progress on users.exports (requested_at) where status = 'requested';

comment on table users.exports is
'Requests of people for a file with everything about them. The file is in a bucket, named by the id.';
comment on column users.exports.attempts is
'The number of attempts of workers. A later attempt ends earlier ones.';
comment on column users.exports.expires_at is 'The end of the links to the file. The bucket deletes it afterwards.';

alter table users.exports enable row level security;
grant select on users.exports to app_read, app_write;
create policy own on users.exports for select to authenticated
using (user_id = (select ops.caller_id()));
create policy service on users.exports to service_role using (true) with check (true);

create table ops.export_rules (
    table_name text primary key,
    found_by text,
    reason text,
    constraint table_is_exported_or_has_a_reason check ((found_by is null) <> (reason is null))
);

comment on table ops.export_rules is
'How the rows about a person are found for their export, for each table with personal data; or why it is left out.';
comment on column ops.export_rules.found_by is
'A condition on the row r, where $1 is the person''s id and $2 are their addresses. It must have an index.';

alter table ops.export_rules enable row level security;

-- On a large table, create the index concurrently before this migration.
-- squawk-ignore require-concurrent-index-creation
create index if not exists voters_by_person on rating.voters (voter_id);

insert into ops.export_rules (table_name, found_by)
values
('events.bookings', 'r.customer_id = $1'),
('events.holds', 'r.customer_id = $1'),
('events.waitlist_entries', 'r.customer_id = $1'),
('messaging.deliveries', 'r.user_id = $1 or (r.user_id is null and lower(r.recipient) = any ($2))'),
('messaging.notifications', 'r.user_id = $1'),
('messaging.preferences', 'r.user_id = $1'),
('ops.access_log', 'r.people @> array[$1::text]'),
('ops.alert_recipients', 'lower(r.email) = any ($2)'),
(
    'ops.state_history',
    'r.subject_id in ('
    'select b.id from events.bookings as b where b.customer_id = $1'
    ' union all select w.id from events.waitlist_entries as w where w.customer_id = $1'
    ' union all select h.id from events.holds as h where h.customer_id = $1'
    ')'
),
('organizations.instructors', 'r.user_id = $1'),
('organizations.invitations', 'lower(r.email) = any ($2) or r.accepted_by = $1'),
('organizations.memberships', 'r.user_id = $1'),
('organizations.ownership_offers', 'r.offered_by = $1 or r.offered_to = $1'),
('payments.accounts', 'r.owner_id = $1'),
('payments.credit_lots', 'r.customer_id = $1'),
('payments.credit_uses', 'r.lot_id in (select l.id from payments.credit_lots as l where l.customer_id = $1)'),
('payments.entries', 'r.account_id in (select a.id from payments.accounts as a where a.owner_id = $1)'),
('payments.fees', 'r.customer_id = $1'),
('payments.intents', 'r.customer_id = $1'),
('payments.invoice_payments', 'r.invoice_id in (select i.id from payments.invoices as i where i.customer_id = $1)'),
('payments.invoices', 'r.customer_id = $1'),
('payments.promo_uses', 'r.customer_id = $1'),
('payments.purchases', 'r.customer_id = $1'),
('payments.quotes', 'r.customer_id = $1'),
('payments.refunds', 'r.customer_id = $1'),
('payments.sales', 'r.customer_id = $1'),
('rating.voters', 'r.voter_id = $1::text'),
(
    'rating.votes',
    'r.voter_id = $1::text'
    ' and r.organization_id in (select v.organization_id from rating.voters as v where v.voter_id = $1::text)'
),
(
    'rating.sliders',
    'r.voter_id = $1::text'
    ' and r.organization_id in (select v.organization_id from rating.voters as v where v.voter_id = $1::text)'
),
(
    'rating.fires',
    'r.voter_id = $1::text'
    ' and r.organization_id in (select v.organization_id from rating.voters as v where v.voter_id = $1::text)'
),
('staging.class_registrations', 'r.customer_id = $1::text or lower(r.customer_email) = any ($2)'),
('staging.waitlists', 'r.customer_id = $1::text or lower(r.customer_email) = any ($2)'),
('users.calendar_addresses', 'r.user_id = $1'),
('users.exports', 'r.user_id = $1'),
('users.profiles', 'r.id = $1');

insert into ops.export_rules (table_name, reason)
values
('events.events', 'Events of organizations, with the reasons of their cancellations.'),
('events.listings', 'Public pages of events. They name the person only as an instructor.'),
('events.series', 'Series of organizations, with the reasons of their ends.'),
('messaging.unsubscribe_keys', 'Keys of the system.'),
('messaging.webhook_attempts', 'Technical responses of the subscribers of organizations, for 30 days.'),
('messaging.webhook_deliveries', 'Copies of messages with ids and amounts, for 30 days.'),
('messaging.webhook_secrets', 'Keys of organizations.'),
('ops.idempotency_keys', 'Copies of responses for repeated requests, for 7 days.'),
('ops.rate_limits', 'Counters of requests, deleted when they are full again.'),
('organizations.changes', 'Records of organizations. They name the person only as the author of a change.'),
('organizations.invitation_codes', 'Hashes of codes. The invitations are in the export.'),
('payments.promo_codes', 'Codes of organizations. They name the person only as their author.'),
('payments.till_closings', 'Records of organizations. They name the person only as their author.'),
('payments.till_movements', 'Records of organizations. They name the person only as their author.'),
('payments.tills', 'Records of organizations. They name the person only as their author.'),
('payments.transactions', 'Headers of the ledger. The entries of the person''s accounts are in the export.'),
('payments.webhook_inbox', 'Messages from Stripe, reduced to ids, for 90 days.'),
('public.outbox', 'Messages with ids and amounts, for 7 days. The notifications are in the export.'),
('rating.inbox', 'Copies of the person''s ratings until they are counted.'),
('rating.item_fires', 'Copies of the person''s fires.'),
('rating.item_stats', 'Counts of items. The person''s ratings are in the export.'),
('rating.requests', 'Copies of the person''s ratings, for 7 days.'),
('rating.voter_days', 'Counts of the person''s ratings of a day, deleted after it.'),
('staging.class_instances', 'Imported events. They name the person only as an instructor.'),
('staging.class_templates', 'Imported events. They name the person only as an instructor.'),
('staging.outcomes', 'Results of the import of a row. The imported rows are in the export.');

insert into ops.rate_limit_rules (operation, per_minute, burst, address_per_minute, address_burst)
values ('person_data', 10, 20, 100, 200);

insert into ops.jobs (name, late_after_seconds)
values ('make_exports', 900);

insert into ops.retention (table_name, column_name, rule, kind, period, is_old, at_end, on_erasure, found_by)
values (
    'users.exports', '*', 'exports', 'row', '7 days', 'r.requested_at < $1', 'delete', 'delete', 'r.user_id = $1'
);

insert into ops.retention (table_name, column_name, kind, on_erasure)
values
('users.exports', 'user_id', 'person', 'delete'),
('users.exports', 'status', 'code', 'delete'),
('ops.export_rules', 'table_name', 'system', 'keep'),
('ops.export_rules', 'found_by', 'system', 'keep'),
('ops.export_rules', 'reason', 'system', 'keep');
