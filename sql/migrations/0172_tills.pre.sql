-- Tills of organizations: their movements, and the reports of closed days.
--
-- A till holds money of the organization, not of the platform: its ledger account is the organization's own.

create table payments.tills (
    id uuid primary key default ops.uuid_v7(),
    organization_id uuid not null references organizations.organizations,
    location_id uuid references organizations.locations,
    currency char(3) not null references ref.currencies,
    opened_by uuid,
    opened_at timestamptz not null default now(),
    constraint one_till_per_place_and_currency unique nulls not distinct (organization_id, location_id, currency)
);

create index tills_location_id_idx on payments.tills (location_id) where location_id is not null;
create index tills_currency_idx on payments.tills (currency);

comment on table payments.tills is
'Tills of an organization: one for each currency, and one more for each location that has its own.';
comment on column payments.tills.location_id is 'Null for the till of all places without their own.';

create table payments.till_movements (
    id uuid primary key default ops.uuid_v7(),
    till_id uuid not null references payments.tills,
    organization_id uuid not null references organizations.organizations,
    day date not null,
    kind text not null constraint till_movement_is_known check (
        kind in ('booking', 'package', 'fee', 'invoice', 'refund', 'transfer', 'difference', 'deposit')
    ),
    method text not null constraint till_takes_cash_or_cards check (method in ('cash', 'terminal')),
    amount_cents bigint not null constraint movement_moves_money check (amount_cents <> 0),
    subject_id uuid,
    note text constraint till_note_is_short check (length(note) <= 500),
    transaction_id uuid not null references payments.transactions,
    recorded_by uuid,
    recorded_at timestamptz not null default statement_timestamp(),
    constraint one_movement_per_subject unique (kind, subject_id, method),
    constraint one_movement_per_transaction unique (transaction_id),
    constraint till_note_is_readable check (ops.is_text(note)),
    constraint takings_are_positive check (amount_cents > 0 or kind not in ('booking', 'package', 'fee', 'invoice')),
    constraint refunds_are_negative check (amount_cents < 0 or kind <> 'refund'),
    constraint movement_has_a_subject check ((subject_id is null) = (kind = 'transfer'))
);

create index till_movements_of_day on payments.till_movements (till_id, day);
create index till_movements_organization_id_idx on payments.till_movements (organization_id, id);

comment on table payments.till_movements is
'Money that entered or left a till. Nobody changes or deletes a row.';
comment on column payments.till_movements.day is
'The day of the report, in the organization''s zone. After a day is closed, movements count for the next one.';
comment on column payments.till_movements.kind is
'Takings for a booking, package, fee or invoice; a refund; a transfer of cash; the difference of a count; a deposit.';
comment on column payments.till_movements.amount_cents is 'Positive into the till, negative out of it.';
comment on column payments.till_movements.subject_id is
'The booking, purchase, fee, invoice, refund or closing that caused it.';
comment on column payments.till_movements.recorded_by is 'The person who took or paid the money.';

create table payments.till_closings (
    id uuid primary key,
    till_id uuid not null references payments.tills,
    organization_id uuid not null references organizations.organizations,
    first_day date not null,
    day date not null,
    opening_cents bigint not null,
    cash_taken_cents bigint not null,
    terminal_taken_cents bigint not null,
    cash_refunded_cents bigint not null,
    terminal_refunded_cents bigint not null,
    transferred_cents bigint not null,
    expected_cents bigint not null,
    counted_cents bigint not null constraint counted_money_is_not_negative check (counted_cents >= 0),
    difference_cents bigint not null,
    deposited_cents bigint not null,
    note text constraint closing_note_is_short check (length(note) <= 500),
    closed_by uuid,
    closed_at timestamptz not null default statement_timestamp(),
    constraint one_closing_per_day unique (till_id, day),
    constraint closing_note_is_readable check (ops.is_text(note)),
    constraint closing_covers_its_days check (first_day <= day),
    constraint expected_is_opening_and_movements check (
        expected_cents = opening_cents + cash_taken_cents - cash_refunded_cents + transferred_cents
    ),
    constraint difference_is_counted_less_expected check (difference_cents = counted_cents - expected_cents),
    constraint deposit_is_part_of_the_count check (deposited_cents between 0 and counted_cents)
);

create index till_closings_organization_id_idx on payments.till_closings (organization_id, id);

comment on table payments.till_closings is
'The report of a closed day of a till. Stored once; nobody changes or deletes a row.';
comment on column payments.till_closings.first_day is 'The first day that it covers: the day after the former closing.';
comment on column payments.till_closings.opening_cents is 'The cash in the till before the first day.';
comment on column payments.till_closings.transferred_cents is 'Cash that was brought, less cash that was taken out.';
comment on column payments.till_closings.deposited_cents is
'Counted cash that left the till at the closing. The rest is the next opening balance.';

alter table payments.tills enable row level security;
alter table payments.till_movements enable row level security;
alter table payments.till_closings enable row level security;

create policy money_staff on payments.tills for select to authenticated
using (organization_id in (select organizations.orgs_as('accountant', 'front_desk', 'admin', 'owner')));
create policy service on payments.tills to service_role using (true) with check (true);
create policy money_staff on payments.till_movements for select to authenticated
using (organization_id in (select organizations.orgs_as('accountant', 'front_desk', 'admin', 'owner')));
create policy service on payments.till_movements to service_role using (true) with check (true);
create policy money_staff on payments.till_closings for select to authenticated
using (organization_id in (select organizations.orgs_as('accountant', 'front_desk', 'admin', 'owner')));
create policy service on payments.till_closings to service_role using (true) with check (true);

grant select on payments.tills, payments.till_movements, payments.till_closings to app_read;

insert into ops.retention (table_name, column_name, kind, on_erasure)
values
('payments.till_closings', 'till_id', 'code', 'keep'),
('payments.till_movements', 'till_id', 'code', 'keep'),
('payments.till_movements', 'kind', 'code', 'keep'),
('payments.till_movements', 'method', 'code', 'keep');

insert into ops.retention (table_name, column_name, kind, on_erasure, reason)
values
('payments.tills', 'opened_by', 'person', 'keep', 'The record names the person who acted.'),
('payments.till_movements', 'recorded_by', 'person', 'keep', 'The record names the person who acted.'),
('payments.till_movements', 'note', 'text', 'keep', 'Accounts are kept for ten years, with the reason of a movement.'),
('payments.till_closings', 'closed_by', 'person', 'keep', 'The record names the person who acted.'),
('payments.till_closings', 'note', 'text', 'keep', 'Accounts are kept for ten years, with the note of a count.');
