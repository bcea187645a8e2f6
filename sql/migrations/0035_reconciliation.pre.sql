-- Stripe's own books beside ours, and where they differ.

create table payments.balance_transactions (
    id text primary key,
    type text not null,
    source_id text,
    amount_cents bigint not null,
    fee_cents bigint not null,
    net_cents bigint not null,
    currency char(3) not null,
    created_at timestamptz not null
);

create index balance_transactions_by_source on payments.balance_transactions (source_id);
create index balance_transactions_by_time on payments.balance_transactions (created_at);

comment on table payments.balance_transactions is
'What moved in Stripe''s balance, as Stripe lists it: net of the fees that it kept.';
comment on column payments.balance_transactions.source_id is
'What it was about: a charge, a refund, a dispute, a payout.';

create table payments.differences (
    id bigint generated always as identity primary key,
    source_id text not null,
    currency char(3) not null,
    reason text not null constraint reason_is_known
    check (reason in ('not_in_ledger', 'not_at_stripe', 'amount_differs')),
    stripe_cents bigint not null,
    ledger_cents bigint not null,
    opened_at timestamptz not null default now(),
    seen_at timestamptz not null default now(),
    resolved_at timestamptz
);

create unique index one_open_difference_per_source on payments.differences (source_id, currency)
where resolved_at is null;

comment on table payments.differences is
'Where the clearing account and Stripe''s balance say something else about the same thing, since when, until when.';

alter table payments.balance_transactions enable row level security;
alter table payments.differences enable row level security;
create policy service on payments.balance_transactions to service_role using (true) with check (true);
create policy service on payments.differences to service_role using (true) with check (true);
grant select on payments.balance_transactions, payments.differences to app_write;

drop function if exists payments.book_stripe_fee(payments.intents, text);

insert into ops.jobs (name, late_after_seconds)
values
('seal_ledger', 600),
('verify_ledger', 93600),
('list_stripe_balance', 93600),
('reconcile_stripe', 93600);

insert into ops.alert_rules
(name, metric, aggregate, window_seconds, threshold, for_seconds, cool_down_seconds, severity)
values
('ledger_unbalanced', 'ledger_unbalanced_currencies', 'latest', 300, 0, 0, 3600, 'critical'),
('ledger_tampered', 'ledger_findings', 'latest', 300, 0, 0, 3600, 'critical'),
('reconciliation_differs', 'reconciliation_differences', 'latest', 300, 0, 0, 86400, 'warning'),
('refunds_failed', 'refunds_failed', 'latest', 300, 0, 0, 86400, 'warning'),
('ledger_not_sealed', 'unsealed_entry_age_seconds', 'latest', 300, 900, 0, 3600, 'warning');
