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
'What each column holds, how long it is kept, and what erasing a person does. Read by ops.clean_up, ops.erase_person and docs/privacy.md.';
comment on column ops.retention.table_name is 'With its schema; of a partitioned table the parent.';
comment on column ops.retention.column_name is 'A column, or * for the whole row.';
comment on column ops.retention.rule is
'Names the period: the key in the answer of ops.clean_up. Empty for what has no period of its own.';
comment on column ops.retention.place is 'Erasure follows this order.';
comment on column ops.retention.kind is
'person: a person''s id. name, address, text, document: personal data. code: ids of things, listed words, hashes. content: published by an organization. system: written by the system.';
comment on column ops.retention.is_old is 'A condition on the row r; $1 is the moment until which the period has ended.';
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
    'delete', 'r.subject = ''caller:'' || $1 and r.operation in (select l.operation from ops.rate_limit_rules as l)', null
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

-- Personal data and texts that end with the person, in the order in which erasure changes them: what finds other rows
-- changes after them.
insert into ops.retention (table_name, column_name, kind, on_erasure, found_by, replacement, reason)
values
(
    'staging.outcomes', 'reason', 'text', 'replace',
    'r.outcome = ''rejected'' and (r.file, r.line) in ('
    'select ''class_registrations'', f.line from staging.class_registrations as f '
    'where f.customer_id = $1::text or lower(f.customer_email) = lower($2) '
    'union all select ''waitlists'', f.line from staging.waitlists as f '
    'where f.customer_id = $1::text or lower(f.customer_email) = lower($2))',
    '''The person was erased.''', null
),
(
    'staging.class_registrations', 'customer_name', 'name', 'null',
    'r.customer_id = $1::text or lower(r.customer_email) = lower($2)', null, null
),
(
    'staging.class_registrations', 'customer_email', 'address', 'null',
    'r.customer_id = $1::text or lower(r.customer_email) = lower($2)', null, null
),
(
    'staging.waitlists', 'customer_name', 'name', 'null',
    'r.customer_id = $1::text or lower(r.customer_email) = lower($2)', null, null
),
(
    'staging.waitlists', 'customer_email', 'address', 'null',
    'r.customer_id = $1::text or lower(r.customer_email) = lower($2)', null, null
),
('staging.class_instances', 'instructor_name', 'name', 'null', 'r.instructor_name = any ($3)', null, null),
('staging.class_templates', 'instructor_name', 'name', 'null', 'r.instructor_name = any ($3)', null, null),
('organizations.instructors', 'name', 'name', 'replace', 'r.user_id = $1', '''Former instructor''', null),
('organizations.instructors', 'bio', 'text', 'null', 'r.user_id = $1', null, null),
('organizations.instructors', 'user_id', 'person', 'null', 'r.user_id = $1', null, null),
(
    'messaging.webhook_attempts', 'response', 'text', 'null',
    'r.delivery_id in (select d.id from messaging.webhook_deliveries as d '
    'where d.payload ->> ''customer_id'' = $1::text)', null, null
),
(
    'messaging.webhook_attempts', 'error', 'text', 'null',
    'r.delivery_id in (select d.id from messaging.webhook_deliveries as d '
    'where d.payload ->> ''customer_id'' = $1::text)', null, null
),
(
    'messaging.webhook_deliveries', 'last_error', 'text', 'null', 'r.payload ->> ''customer_id'' = $1::text', null, null
),
('events.bookings', 'status_reason', 'text', 'null', 'r.customer_id = $1', null, null),
('events.waitlist_entries', 'status_reason', 'text', 'null', 'r.customer_id = $1', null, null),
(
    'ops.state_history', 'reason', 'text', 'null',
    'r.subject_id in ('
    'select b.id from events.bookings as b where b.customer_id = $1 '
    'union all select w.id from events.waitlist_entries as w where w.customer_id = $1 '
    'union all select h.id from events.holds as h where h.customer_id = $1 '
    'union all select i.id from payments.intents as i where i.customer_id = $1 '
    'union all select f.id from payments.refunds as f where f.customer_id = $1 '
    'union all select p.id from payments.purchases as p where p.customer_id = $1)', null, null
),
('payments.credit_lots', 'note', 'text', 'null', 'r.customer_id = $1', null, null),
('payments.fees', 'reason', 'text', 'null', 'r.customer_id = $1', null, null),
('payments.intents', 'client_secret', 'secret', 'null', 'r.customer_id = $1', null, null),
('payments.intents', 'last_error', 'document', 'null', 'r.customer_id = $1', null, null),
('payments.refunds', 'status_reason', 'text', 'null', 'r.customer_id = $1', null, null),
('payments.refunds', 'last_error', 'document', 'null', 'r.customer_id = $1', null, null),
('payments.refunds', 'debt_reason', 'text', 'null', 'r.customer_id = $1', null, null),
(
    'payments.invoices', 'buyer', 'document', 'replace', 'r.customer_id = $1', 'r.buyer - ''email''',
    'The name stays: article 958f of the Swiss Code of Obligations and article 70 of the VAT Act require invoices for ten years.'
),
('users.profiles', 'name', 'name', 'null', 'r.id = $1', null, null),
('users.profiles', 'email', 'address', 'null', 'r.id = $1', null, null);

-- Columns of rows that erasure deletes.
insert into ops.retention (table_name, column_name, kind, on_erasure)
values
('ops.idempotency_keys', 'caller_id', 'person', 'delete'),
('ops.idempotency_keys', 'key', 'text', 'delete'),
('ops.idempotency_keys', 'response', 'document', 'delete'),
('ops.rate_limits', 'subject', 'address', 'delete'),
('rating.requests', 'caller_id', 'person', 'delete'),
('rating.requests', 'results', 'document', 'delete'),
('messaging.deliveries', 'user_id', 'person', 'delete'),
('messaging.deliveries', 'recipient', 'address', 'delete'),
('messaging.deliveries', 'last_error', 'text', 'delete'),
('messaging.notifications', 'user_id', 'person', 'delete'),
('messaging.notifications', 'about_id', 'person', 'delete'),
('messaging.notifications', 'subject', 'text', 'delete'),
('messaging.notifications', 'body', 'text', 'delete'),
('organizations.memberships', 'user_id', 'person', 'delete'),
('ops.alert_recipients', 'email', 'address', 'delete');

-- Texts that end by age, whoever they are about.
insert into ops.retention (table_name, column_name, rule, kind, period, is_old, at_end, on_erasure, replacement, reason)
values
(
    'events.bookings', 'status_reason', 'booking_reasons', 'text', '13 months', 'r.created_at < $1', 'null',
    'keep', null, 'Ends by age here; with the person by the rule above.'
),
(
    'events.waitlist_entries', 'status_reason', 'waitlist_reasons', 'text', '13 months', 'r.joined_at < $1', 'null',
    'keep', null, 'Ends by age here; with the person by the rule above.'
),
(
    'events.events', 'status_reason', 'event_reasons', 'text', '13 months', 'r.starts_at < $1', 'null',
    'keep', null, 'Written about an event, for everyone who booked it.'
),
(
    'events.series', 'status_reason', 'series_reasons', 'text', '13 months', 'r.updated_at < $1', 'null',
    'keep', null, 'Written about a series, for everyone who booked it.'
),
(
    'ops.state_history', 'reason', 'history_reasons', 'text', '13 months', 'r.changed_at < $1', 'null',
    'keep', null, 'Ends by age here; with the person by the rule above.'
),
(
    'payments.credit_lots', 'note', 'credit_notes', 'text', '36 months', 'r.created_at < $1', 'null',
    'keep', null, 'Ends by age here; with the person by the rule above.'
),
(
    'payments.fees', 'reason', 'fee_reasons', 'text', '36 months', 'r.charged_at < $1', 'null',
    'keep', null, 'Ends by age here; with the person by the rule above.'
),
(
    'payments.refunds', 'debt_reason', 'debt_reasons', 'text', '36 months', 'r.created_at < $1', 'null',
    'keep', null, 'Ends by age here; with the person by the rule above.'
),
(
    'payments.intents', 'client_secret', 'client_secrets', 'secret', '30 days',
    'r.created_at < $1 and r.status in (''succeeded'', ''cancelled'')', 'null',
    'keep', null, 'Ends by age here; with the person by the rule above.'
),
(
    'payments.invoices', 'buyer', 'invoice_buyers', 'document', '11 years', 'r.issued_at < $1', 'replace',
    'keep', '''{}''::jsonb',
    'Ten years from the end of the business year: article 958f of the Code of Obligations.'
);

-- Ids of people that stay. They name nobody once the profile is empty.
insert into ops.retention (table_name, column_name, kind, on_erasure, reason)
select k.table_name, k.column_name, 'person', 'keep', k.reason
from (
    values
    ('users.profiles', 'id', 'Bookings and the books refer to it. The profile has no name and no address any more.'),
    ('events.bookings', 'customer_id', 'Attendance and capacity are counted by it.'),
    ('events.bookings', 'booked_by', 'Who acted, for the record.'),
    ('events.holds', 'customer_id', 'Goes with the row.'),
    ('events.holds', 'held_by', 'Goes with the row.'),
    ('events.waitlist_entries', 'customer_id', 'The order of the waitlist is proved by it.'),
    ('ops.state_history', 'actor_id', 'Who acted, for the record. Goes with the row.'),
    ('payments.accounts', 'owner_id', 'The ledger is append-only and hashed.'),
    ('payments.transactions', 'actor_id', 'The ledger is append-only and hashed.'),
    ('payments.credit_lots', 'customer_id', 'Accounts are kept for ten years.'),
    ('payments.credit_lots', 'granted_by', 'Who acted, for the record.'),
    ('payments.fees', 'customer_id', 'What is owed stays a claim without a name.'),
    ('payments.fees', 'settled_by', 'Who acted, for the record.'),
    ('payments.intents', 'customer_id', 'Accounts are kept for ten years.'),
    ('payments.invoices', 'customer_id', 'Invoices are kept for ten years.'),
    ('payments.invoice_payments', 'recorded_by', 'Who acted, for the record.'),
    ('payments.promo_codes', 'created_by', 'Who acted, for the record.'),
    ('payments.promo_uses', 'customer_id', 'The code''s limit per customer is counted by it.'),
    ('payments.purchases', 'customer_id', 'Accounts are kept for ten years.'),
    ('payments.quotes', 'customer_id', 'Accounts are kept for ten years.'),
    ('payments.refunds', 'customer_id', 'Accounts are kept for ten years.'),
    ('payments.refunds', 'debt_settled_by', 'Who acted, for the record.'),
    ('payments.sales', 'customer_id', 'Accounts are kept for ten years.'),
    ('rating.votes', 'voter_id', 'Scores count each voter once and are recounted from these rows, archived months included.'),
    ('rating.sliders', 'voter_id', 'As for rating.votes.'),
    ('rating.fires', 'voter_id', 'As for rating.votes.'),
    ('rating.inbox', 'voter_id', 'As for rating.votes.'),
    ('rating.item_fires', 'voter_id', 'One fire for each voter and item, forever.'),
    ('rating.voters', 'voter_id', 'A voter''s reliability is part of every score.'),
    ('rating.item_stats', 'slider_voters', 'How many different people moved an item''s slider.'),
    ('staging.class_registrations', 'customer_id', 'Running the conversion again must find the same person, who stays erased.'),
    ('staging.waitlists', 'customer_id', 'Running the conversion again must find the same person, who stays erased.')
) as k (table_name, column_name, reason);

-- Documents, texts and secrets that may stay as they are.
insert into ops.retention (table_name, column_name, kind, on_erasure, reason)
values
('public.outbox', 'payload', 'document', 'keep', 'Ids and amounts only: a message carries no text that a person wrote.'),
('messaging.webhook_deliveries', 'payload', 'document', 'keep', 'Ids and amounts only; the reason is read when it is sent.'),
('payments.webhook_inbox', 'payload', 'document', 'keep', 'Reduced to Stripe''s ids when it is received.'),
('messaging.webhook_secrets', 'secret', 'secret', 'keep', 'The endpoint''s, not a person''s. Ends with the endpoint.'),
(
    'payments.transactions', 'description', 'text', 'keep',
    'Sentences of the routines and Stripe''s codes. The ledger is append-only and hashed.'
);

-- The rest holds no personal data.
insert into ops.retention (table_name, column_name, kind, on_erasure)
select k.table_name, c.column_name, k.kind, 'keep'
from (
    values
    ('events.bookings', 'code', 'policy'),
    ('events.events', 'content', 'title description category time_zone policy'),
    ('events.series', 'content', 'title description category time_zone recurrence'),
    ('events.terms', 'code', 'policy'),
    ('messaging.deliveries', 'code', 'channel status provider_id'),
    ('messaging.notifications', 'code', 'topic'),
    ('messaging.webhook_deliveries', 'code', 'topic key status'),
    ('messaging.webhook_endpoints', 'content', 'url topics description disabled_reason'),
    ('ops.alert_recipients', 'code', 'severity_least'),
    ('ops.alert_rules', 'code', 'name metric aggregate comparison severity'),
    ('ops.alerts', 'system', 'rule severity'),
    ('ops.health_checks', 'system', 'name status unit details'),
    ('ops.idempotency_keys', 'code', 'operation request_hash'),
    ('ops.job_runs', 'system', 'job result error'),
    ('ops.jobs', 'code', 'name'),
    ('ops.migrations', 'code', 'file checksum'),
    ('ops.partition_policies', 'code', 'table_name'),
    ('ops.performance_metrics', 'system', 'name unit tags'),
    ('ops.performance_metrics_hourly', 'system', 'name unit'),
    ('ops.rate_limit_rules', 'code', 'operation'),
    ('ops.rate_limits', 'code', 'operation'),
    ('ops.repeatables', 'code', 'file checksum'),
    (
        'ops.retention', 'system',
        'table_name column_name rule kind is_old at_end on_erasure found_by replacement reason'
    ),
    ('ops.state_history', 'code', 'machine from_state to_state actor_role'),
    ('ops.transitions', 'code', 'machine from_state to_state'),
    ('organizations.locations', 'content', 'name address city time_zone'),
    ('organizations.organizations', 'content', 'slug name time_zone branding'),
    ('organizations.payout_accounts', 'code', 'stripe_account_id requirements'),
    ('organizations.policies', 'content', 'name refund_to'),
    ('payments.balance_transactions', 'code', 'id type source_id'),
    ('payments.credit_lots', 'code', 'categories'),
    ('payments.credit_uses', 'code', 'purpose'),
    ('payments.differences', 'code', 'source_id reason'),
    ('payments.disputes', 'code', 'stripe_dispute_id reason status'),
    ('payments.fees', 'code', 'paid_from'),
    ('payments.intents', 'code', 'stripe_payment_intent_id stripe_charge_id'),
    ('payments.invoices', 'content', 'seller lines'),
    ('payments.packages', 'content', 'name categories'),
    ('payments.payouts', 'system', 'stripe_payout_id status failure_code failure_message'),
    ('payments.promo_codes', 'content', 'code'),
    ('payments.purchases', 'code', 'categories'),
    ('payments.quotes', 'code', 'tax_category'),
    ('payments.refunds', 'code', 'destination cause stripe_refund_id earlier_stripe_ids debt_outcome'),
    ('payments.seals', 'code', 'hash'),
    ('payments.transactions', 'code', 'kind reference_type idempotency_key'),
    ('payments.transfers', 'code', 'stripe_transfer_id stripe_account_id'),
    ('payments.webhook_inbox', 'code', 'event_id account type api_version'),
    ('payments.webhook_inbox', 'system', 'result last_error'),
    ('public.outbox', 'code', 'topic key correlation_id'),
    ('public.outbox', 'system', 'last_error'),
    ('rating.calibrations', 'system', 'before after'),
    ('rating.dirty_items', 'code', 'item_id'),
    ('rating.dirty_items', 'system', 'last_error'),
    ('rating.event_keys', 'code', 'key'),
    ('rating.fires', 'code', 'key item_id'),
    ('rating.inbox', 'code', 'item_id opponent_id'),
    ('rating.item_fires', 'code', 'item_id'),
    ('rating.item_scores', 'code', 'item_id model_version'),
    ('rating.item_stats', 'code', 'item_id opponents'),
    ('rating.score_history', 'code', 'item_id model_version'),
    ('rating.sliders', 'code', 'key item_id'),
    ('rating.votes', 'code', 'key item_a item_b winner'),
    ('ref.countries', 'code', 'name'),
    ('ref.currencies', 'code', 'name'),
    ('ref.event_categories', 'code', 'slug parent_slug name'),
    ('ref.languages', 'code', 'name'),
    ('ref.tax_rates', 'code', 'category'),
    ('ref.timezones', 'code', 'name'),
    (
        'staging.class_instances', 'content',
        'problem id template_id organization_id name description start_time end_time time_zone capacity price currency '
        'location_name location_city status created_at'
    ),
    (
        'staging.class_registrations', 'code',
        'problem id class_instance_id seats status amount_paid currency payment_method registered_at cancelled_at'
    ),
    (
        'staging.class_templates', 'content',
        'problem id organization_id name description category time_zone recurrence_rule start_date end_date start_time '
        'duration_minutes capacity price currency location_name location_city is_active created_at'
    ),
    ('staging.outcomes', 'code', 'file legacy_id outcome'),
    ('staging.waitlists', 'code', 'problem id class_instance_id seats position status joined_at')
) as k (table_name, kind, column_names)
cross join lateral string_to_table(k.column_names, ' ') as c (column_name);

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
