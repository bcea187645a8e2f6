-- The rules of single columns: what ends with a person, what ends by age, what stays and why.

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
    'The name stays for ten years: article 958f of the Swiss Code of Obligations, article 70 of the VAT Act.'
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
select
    k.table_name,
    k.column_name,
    'person' as kind,
    'keep' as on_erasure,
    k.reason
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
    ('rating.votes', 'voter_id', 'Scores count each voter once, archived months included.'),
    ('rating.sliders', 'voter_id', 'As for rating.votes.'),
    ('rating.fires', 'voter_id', 'As for rating.votes.'),
    ('rating.inbox', 'voter_id', 'As for rating.votes.'),
    ('rating.item_fires', 'voter_id', 'One fire for each voter and item, forever.'),
    ('rating.voters', 'voter_id', 'A voter''s reliability is part of every score.'),
    ('rating.item_stats', 'slider_voters', 'How many different people moved an item''s slider.'),
    ('staging.class_registrations', 'customer_id', 'A new conversion must find the same person, who stays erased.'),
    ('staging.waitlists', 'customer_id', 'A new conversion must find the same person, who stays erased.')
) as k (table_name, column_name, reason);

-- Documents, texts and secrets that may stay as they are.
insert into ops.retention (table_name, column_name, kind, on_erasure, reason)
values
('public.outbox', 'payload', 'document', 'keep', 'Ids and amounts only: no text that a person wrote.'),
('messaging.webhook_deliveries', 'payload', 'document', 'keep', 'Ids and amounts only, as in the outbox.'),
('payments.webhook_inbox', 'payload', 'document', 'keep', 'Reduced to Stripe''s ids when it is received.'),
('messaging.webhook_secrets', 'secret', 'secret', 'keep', 'The endpoint''s, not a person''s. Ends with the endpoint.'),
(
    'payments.transactions', 'description', 'text', 'keep',
    'Sentences of the routines and Stripe''s codes. The ledger is append-only and hashed.'
);

-- The rest holds no personal data.
insert into ops.retention (table_name, column_name, kind, on_erasure)
select
    k.table_name,
    c.column_name,
    k.kind,
    'keep' as on_erasure
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
