-- The double-entry ledger: what was moved between which accounts, for ever, and what follows from it.
--
-- Debits are positive, credits negative. Accounts, transactions, entries and seals are only ever added to.

create schema if not exists payments;

comment on schema payments is 'Money: the ledger and what posts to it.';

grant usage on schema payments to app_read, app_write;

create type payments.owner_kind as enum ('organization', 'user', 'platform');
create type payments.account_type as enum (
    'cash', 'escrow', 'receivable', 'payable', 'revenue', 'fees', 'taxes', 'credits', 'clearing'
);

-- Domains, since a table's checks are parsed anew by each insert and a domain's are kept ready.
create domain payments.signed_cents as bigint constraint cents_are_not_zero check (value <> 0);
create domain payments.guarded_cents as bigint constraint balance_never_below_zero check (value >= 0);
create domain payments.slug as varchar(60) constraint slug_is_plain check (value ~ '^[a-z]+([_.][a-z]+)*$');

create table payments.accounts (
    id uuid primary key default ops.uuid_v7(),
    owner_kind payments.owner_kind not null,
    owner_id uuid,
    organization_id uuid references organizations.organizations,
    type payments.account_type not null,
    currency char(3) not null references ref.currencies,
    guarded boolean not null generated always as (type in ('escrow', 'credits')) stored,
    created_at timestamptz not null default statement_timestamp(),
    constraint one_account_per_owner_type_and_currency
    unique nulls not distinct (owner_id, type, currency, organization_id, owner_kind),
    constraint only_the_platform_is_nobody check ((owner_kind = 'platform') = (owner_id is null)),
    constraint only_users_have_accounts_within_an_organization check (organization_id is null or owner_kind = 'user')
);

create index accounts_within_organization on payments.accounts (organization_id) where organization_id is not null;

comment on table payments.accounts is 'Whose money of which kind. Made by payments.account, never changed.';
comment on column payments.accounts.organization_id is
'Where a user''s account counts: a wallet is a user''s account of type credits within an organization.';
comment on column payments.accounts.guarded is 'Its balance may not go below zero.';

create table payments.transactions (
    id uuid primary key default ops.uuid_v7(),
    kind payments.slug not null,
    reference_type payments.slug,
    reference_id uuid,
    idempotency_key varchar(255) not null constraint one_transaction_per_key unique,
    description text,
    occurred_at timestamptz not null default statement_timestamp(),
    recorded_at timestamptz not null default clock_timestamp(),
    reverses_id uuid,
    actor_id uuid default (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid
);

create unique index one_reversal_per_transaction on payments.transactions (reverses_id) where reverses_id is not null;
create index transactions_by_time on payments.transactions using brin (recorded_at);

comment on table payments.transactions is
'What happened. Written together with its entries, in one statement, by payments.post_transaction.';
comment on column payments.transactions.occurred_at is 'When it happened; recorded_at is when it was written.';
comment on column payments.transactions.actor_id is 'Who caused it; null for a service.';

-- No foreign keys here: they would lock the rows of busy accounts for every entry. The trigger that follows entries
-- refuses those of unknown accounts or transactions, and neither of these can ever be deleted.
create table payments.entries (
    transaction_id uuid not null,
    line smallint not null,
    account_id uuid not null,
    amount_cents payments.signed_cents not null,
    constraint entries_come_with_their_transaction primary key (transaction_id, line)
);

comment on table payments.entries is
'What a transaction did to which account: debit positive, credit negative, in the account''s currency.';
comment on column payments.entries.line is
'From 1. Every statement that writes entries must write line 1 of their transaction, so that none is added later.';

create table payments.balances (
    account_id uuid primary key references payments.accounts,
    balance_cents payments.guarded_cents not null default 0
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);

comment on table payments.balances is
'Balances of guarded accounts, in their normal sign; kept by the trigger that follows entries.';

create table payments.unsealed_entries (
    account_id uuid not null,
    transaction_id uuid not null,
    line smallint not null,
    amount_cents bigint not null,
    recorded_at timestamptz not null,
    primary key (account_id, transaction_id, line)
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.1);

comment on table payments.unsealed_entries is
'Entries that no seal covers yet: written with each entry, removed by payments.seal_entries.';

create table payments.seals (
    account_id uuid not null,
    position bigint not null,
    transaction_id uuid not null,
    line smallint not null,
    amount_cents bigint not null,
    balance_cents bigint not null,
    recorded_at timestamptz not null,
    latest_recorded_at timestamptz not null,
    hash bytea not null,
    primary key (account_id, position),
    constraint entry_is_sealed_once unique (transaction_id, line)
);

create index seals_by_time on payments.seals (account_id, latest_recorded_at, position) include (balance_cents);
create index seals_out_of_time on payments.seals (account_id, recorded_at) where recorded_at < latest_recorded_at;
create index seals_by_age on payments.seals using brin (latest_recorded_at);

comment on table payments.seals is
'The chain of each account''s entries, in the order in which they were sealed, with the balance after each.';
comment on column payments.seals.balance_cents is 'Sum of the amounts so far: debits less credits.';
comment on column payments.seals.latest_recorded_at is 'The latest recorded_at so far.';
comment on column payments.seals.hash is 'SHA-256 of the hash before it and of payments.canonical_entry.';

grant select on
payments.accounts, payments.transactions, payments.entries, payments.balances, payments.unsealed_entries, payments.seals
to app_read;

alter table payments.accounts enable row level security;
alter table payments.transactions enable row level security;
alter table payments.entries enable row level security;
alter table payments.balances enable row level security;
alter table payments.unsealed_entries enable row level security;
alter table payments.seals enable row level security;

create policy service on payments.accounts to service_role using (true) with check (true);
create policy service on payments.transactions to service_role using (true) with check (true);
create policy service on payments.entries to service_role using (true) with check (true);
create policy service on payments.balances to service_role using (true) with check (true);
create policy service on payments.unsealed_entries to service_role using (true) with check (true);
create policy service on payments.seals to service_role using (true) with check (true);

-- A person's own accounts; for those who keep an organization's books, its own and the wallets within it.
create policy own on payments.accounts for select to authenticated
using (owner_kind = 'user' and owner_id = (select ops.caller_id()));

create policy bookkeepers on payments.accounts for select to authenticated
using (
    case when owner_kind = 'organization' then owner_id else organization_id end
    in (select organizations.orgs_as('accountant', 'admin', 'owner'))
);

-- The rest follows what the caller may see of the accounts.
create policy visible_account on payments.entries for select to authenticated
using (exists (select from payments.accounts as a where a.id = entries.account_id));

create policy visible_entry on payments.transactions for select to authenticated
using (exists (select from payments.entries as e where e.transaction_id = transactions.id));

create policy visible_account on payments.balances for select to authenticated
using (exists (select from payments.accounts as a where a.id = balances.account_id));

create policy visible_account on payments.unsealed_entries for select to authenticated
using (exists (select from payments.accounts as a where a.id = unsealed_entries.account_id));

create policy visible_account on payments.seals for select to authenticated
using (exists (select from payments.accounts as a where a.id = seals.account_id));
