-- Invoices without gaps, and fees for not coming.

create table payments.invoice_numbers (
    organization_id uuid primary key references organizations.organizations,
    last integer not null
);

comment on table payments.invoice_numbers is
'The last number of each organization''s series. Whoever takes a number locks the row, last of all locks.';

create type payments.invoice_kind as enum ('invoice', 'credit_note');

create table payments.invoices (
    id uuid primary key default ops.uuid_v7(),
    organization_id uuid not null references organizations.organizations,
    number integer not null constraint numbers_begin_with_one check (number > 0),
    kind payments.invoice_kind not null,
    booking_id uuid not null references events.bookings,
    customer_id uuid not null references users.profiles,
    corrects_id uuid references payments.invoices,
    refund_id uuid references payments.refunds,
    seller jsonb not null,
    buyer jsonb not null,
    lines jsonb not null,
    net_cents payments.cents not null,
    tax_cents payments.cents not null,
    gross_cents payments.cents not null,
    currency char(3) not null references ref.currencies,
    tax_bps integer not null,
    tax_country char(2) not null,
    issued_at timestamptz not null default now(),
    due_on date,
    constraint invoice_numbers_are_unique unique (organization_id, number),
    constraint gross_is_net_and_tax check (gross_cents = net_cents + tax_cents),
    constraint credit_notes_correct_an_invoice check (
        (kind = 'credit_note') = (corrects_id is not null) and (kind = 'credit_note') = (refund_id is not null)
        and (kind = 'invoice') = (due_on is not null)
    )
);

create unique index one_invoice_per_booking on payments.invoices (booking_id) where kind = 'invoice';
create unique index one_credit_note_per_refund on payments.invoices (refund_id) where refund_id is not null;
create index on payments.invoices (booking_id);
create index on payments.invoices (customer_id, id);
create index on payments.invoices (corrects_id) where corrects_id is not null;
create index on payments.invoices (currency);

comment on table payments.invoices is
'Invoices and credit notes, in one series without gaps per organization. What was issued is never changed.';
comment on column payments.invoices.seller is 'As it was when issued, like the buyer and the lines.';

create table payments.invoice_payments (
    invoice_id uuid primary key references payments.invoices,
    amount_cents payments.credit_amount not null,
    transaction_id uuid not null references payments.transactions,
    recorded_by uuid,
    paid_at timestamptz not null default now()
);

create index on payments.invoice_payments (transaction_id);

comment on table payments.invoice_payments is 'What an invoice was paid with, at the organizer''s own bank.';

create table payments.fees (
    id uuid primary key default ops.uuid_v7(),
    booking_id uuid not null references events.bookings,
    organization_id uuid not null references organizations.organizations,
    customer_id uuid not null references users.profiles,
    amount_cents payments.credit_amount not null,
    currency char(3) not null references ref.currencies,
    paid_from text not null constraint fee_is_paid_or_owed check (paid_from in ('wallet', 'owed')),
    transaction_id uuid not null references payments.transactions,
    charged_at timestamptz not null default now(),
    taken_back_at timestamptz
);

create unique index one_fee_at_a_time on payments.fees (booking_id) where taken_back_at is null;
create index on payments.fees (booking_id);
create index on payments.fees (organization_id, id);
create index on payments.fees (customer_id, id);
create index on payments.fees (currency);
create index on payments.fees (transaction_id);

comment on table payments.fees is 'What not coming cost: taken from the wallet, or owed; taken back when corrected.';

grant select on payments.invoices, payments.invoice_payments, payments.fees to app_read;

alter table payments.invoice_numbers enable row level security;
alter table payments.invoices enable row level security;
alter table payments.invoice_payments enable row level security;
alter table payments.fees enable row level security;

create policy service on payments.invoices to service_role using (true) with check (true);
create policy service on payments.invoice_payments to service_role using (true) with check (true);
create policy service on payments.fees to service_role using (true) with check (true);
create policy own on payments.invoices for select to authenticated
using (customer_id = (select ops.caller_id()));
create policy money_staff on payments.invoices for select to authenticated
using (organization_id in (select organizations.orgs_as('accountant', 'front_desk', 'admin', 'owner')));
create policy own on payments.fees for select to authenticated
using (customer_id = (select ops.caller_id()));
create policy money_staff on payments.fees for select to authenticated
using (organization_id in (select organizations.orgs_as('accountant', 'front_desk', 'admin', 'owner')));

create policy visible_invoice on payments.invoice_payments for select to authenticated
using (exists (select from payments.invoices as i where i.id = invoice_payments.invoice_id));
