-- Paying for bookings: what organizers are paid on, Stripe's intents, sales, refunds, disputes.

create schema if not exists payments;
grant usage on schema payments to app_read, app_write;

create domain payments.cents as bigint constraint payment_cents_are_not_negative check (value >= 0);

create table organizations.payout_accounts (
    organization_id uuid primary key references organizations.organizations on delete cascade,
    stripe_account_id text not null unique,
    charges_enabled boolean not null default false,
    payouts_enabled boolean not null default false,
    details_submitted boolean not null default false,
    requirements jsonb not null default '{}',
    updated_at timestamptz not null default now()
);

comment on table organizations.payout_accounts is 'The Connect account through which Stripe pays an organizer.';

create table organizations.payout_settings (
    organization_id uuid primary key references organizations.organizations on delete cascade,
    fee_bps integer not null default 500 constraint fee_is_a_share check (fee_bps between 0 and 10000),
    fee_refunded boolean not null default true,
    invoices_allowed boolean not null default false,
    payment_minutes integer not null default 15 constraint payment_time_is_short
    check (payment_minutes between 1 and 120)
);

comment on table organizations.payout_settings is
'What the platform keeps of an organizer''s sales, and how its customers may pay. No row: the defaults.';
comment on column organizations.payout_settings.fee_bps is
'The platform''s share of a sale, in hundredths of a percent.';
comment on column organizations.payout_settings.fee_refunded is
'Whether the platform gives its share back with a refund.';
comment on column organizations.payout_settings.payment_minutes is
'How long seats are kept for somebody who pays by card or TWINT.';

create type payments.intent_status as enum ('created', 'open', 'processing', 'succeeded', 'cancelled');

create table payments.intents (
    id uuid primary key,
    booking_id uuid not null references events.bookings,
    organization_id uuid not null references organizations.organizations,
    customer_id uuid not null references users.profiles,
    method events.payment_method not null constraint intent_goes_through_stripe check (method in ('card', 'twint')),
    amount_cents payments.cents not null,
    currency char(3) not null references ref.currencies,
    status payments.intent_status not null default 'created',
    stripe_payment_intent_id text unique,
    client_secret text,
    stripe_charge_id text,
    stripe_fee_cents payments.cents,
    last_error jsonb,
    observed_at timestamptz not null default '-infinity',
    attempts integer not null default 0,
    available_at timestamptz not null default now() + interval '30 seconds',
    created_at timestamptz not null default now(),
    succeeded_at timestamptz
);

create unique index one_intent_per_booking on payments.intents (booking_id);
create index on payments.intents (organization_id, id);
create index on payments.intents (customer_id, id);
create index intents_unsettled on payments.intents (available_at) where status in ('created', 'open', 'processing');

comment on table payments.intents is
'A payment that Stripe is asked for: written before Stripe is called, completed by what Stripe says of it.';
comment on column payments.intents.id is
'Stripe''s idempotency key derives from it. That of a booking is the booking''s.';
comment on column payments.intents.observed_at is
'When Stripe was asked for what is known here; what was seen earlier does not overwrite it.';
comment on column payments.intents.available_at is 'From when on the sweep looks after it.';

create table payments.sales (
    booking_id uuid primary key references events.bookings,
    organization_id uuid not null references organizations.organizations,
    customer_id uuid not null references users.profiles,
    method events.payment_method not null,
    amount_cents payments.cents not null,
    fee_cents payments.cents not null,
    currency char(3) not null references ref.currencies,
    refunded_cents payments.cents not null default 0,
    refunded_fee_cents payments.cents not null default 0,
    sold_at timestamptz not null default now(),
    constraint fee_is_part_of_the_amount check (fee_cents <= amount_cents),
    constraint never_refunded_more_than_paid check (refunded_cents <= amount_cents),
    constraint never_returned_more_than_the_fee check (refunded_fee_cents <= fee_cents)
);

create index on payments.sales (organization_id, sold_at);
create index on payments.sales (customer_id);

comment on table payments.sales is 'What a paid booking brought, and how much of it went back.';
comment on column payments.sales.fee_cents is 'The platform''s share.';

create type payments.refund_status as enum ('created', 'pending', 'succeeded', 'failed');

create table payments.refunds (
    id uuid primary key default ops.uuid_v7(),
    booking_id uuid not null references events.bookings,
    intent_id uuid references payments.intents,
    organization_id uuid not null references organizations.organizations,
    customer_id uuid not null references users.profiles,
    amount_cents bigint not null constraint refund_is_positive check (amount_cents > 0),
    currency char(3) not null references ref.currencies,
    destination text not null constraint destination_is_known check (destination in ('original', 'wallet', 'invoice')),
    cause varchar(255) not null,
    sold boolean not null,
    status payments.refund_status not null default 'created',
    status_reason text,
    stripe_refund_id text unique,
    attempts integer not null default 0,
    reopened integer not null default 0,
    available_at timestamptz not null default now(),
    last_error jsonb,
    created_at timestamptz not null default now(),
    settled_at timestamptz,
    constraint one_refund_per_cause unique (booking_id, cause),
    constraint original_way_is_by_stripe check (destination <> 'original' or intent_id is not null)
);

create index on payments.refunds (intent_id);
create index on payments.refunds (organization_id, id);
create index on payments.refunds (customer_id, id);
create index refunds_to_send on payments.refunds (available_at) where status = 'created';

comment on table payments.refunds is
'Money that goes back: written with its cause, sent by the sweep, settled by what Stripe says of it.';
comment on column payments.refunds.cause is 'Why, in a word that is used once per booking: exactly one refund for it.';
comment on column payments.refunds.sold is
'Whether it gives back a sale; else a payment that came too late to buy anything.';
comment on column payments.refunds.reopened is 'How often it was sent again after Stripe could not deliver it.';

create table payments.disputes (
    stripe_dispute_id text primary key,
    intent_id uuid not null references payments.intents,
    organization_id uuid not null references organizations.organizations,
    amount_cents payments.cents not null,
    currency char(3) not null references ref.currencies,
    reason text,
    status text not null,
    withdrawn boolean not null default false,
    updated_at timestamptz not null default now()
);

create index on payments.disputes (intent_id);
create index on payments.disputes (organization_id);

comment on column payments.disputes.withdrawn is 'Whether Stripe has taken the money back from the platform.';

-- Who pays for several bookings of one event at once (guests) holds seats for each of them.
drop index events.one_hold_per_customer;
create unique index one_hold_per_customer on events.holds (event_id, customer_id, purpose)
where status = 'active' and purpose <> 'payment';

-- These take what a booking costs from now on.
drop function if exists events.place_booking(
    uuid, events.terms, uuid, integer, boolean, events.payment_method, uuid, uuid
);
drop function if exists events.booking_answer(uuid, uuid, uuid, integer, boolean, events.payment_method, text);

insert into ops.transitions (machine, from_state, to_state)
values
('booking', 'expired', 'confirmed'),
('intent', 'created', 'open'),
('intent', 'created', 'processing'),
('intent', 'created', 'succeeded'),
('intent', 'created', 'cancelled'),
('intent', 'open', 'processing'),
('intent', 'open', 'succeeded'),
('intent', 'open', 'cancelled'),
('intent', 'processing', 'open'),
('intent', 'processing', 'succeeded'),
('intent', 'processing', 'cancelled'),
('refund', 'created', 'pending'),
('refund', 'created', 'succeeded'),
('refund', 'created', 'failed'),
('refund', 'pending', 'succeeded'),
('refund', 'pending', 'failed'),
('refund', 'succeeded', 'failed'),
('refund', 'failed', 'created');

grant select on
organizations.payout_accounts, organizations.payout_settings,
payments.intents, payments.sales, payments.refunds, payments.disputes
to app_read;
grant select, insert, update, delete on organizations.payout_settings to app_write;

alter table organizations.payout_accounts enable row level security;
alter table organizations.payout_settings enable row level security;
alter table payments.intents enable row level security;
alter table payments.sales enable row level security;
alter table payments.refunds enable row level security;
alter table payments.disputes enable row level security;

create policy service on organizations.payout_accounts to service_role using (true) with check (true);
create policy service on organizations.payout_settings to service_role using (true) with check (true);
create policy service on payments.intents to service_role using (true) with check (true);
create policy service on payments.sales to service_role using (true) with check (true);
create policy service on payments.refunds to service_role using (true) with check (true);
create policy service on payments.disputes to service_role using (true) with check (true);

create policy money_staff on organizations.payout_accounts for select to authenticated
using (organization_id in (select organizations.orgs_as('accountant', 'admin', 'owner')));
create policy money_staff on organizations.payout_settings for select to authenticated
using (organization_id in (select organizations.orgs_as('accountant', 'admin', 'owner')));

create policy own on payments.intents for select to authenticated
using (customer_id = (select ops.caller_id()));
create policy own on payments.sales for select to authenticated
using (customer_id = (select ops.caller_id()));
create policy own on payments.refunds for select to authenticated
using (customer_id = (select ops.caller_id()));

create policy money_staff on payments.sales for select to authenticated
using (organization_id in (select organizations.orgs_as('accountant', 'front_desk', 'admin', 'owner')));
create policy money_staff on payments.refunds for select to authenticated
using (organization_id in (select organizations.orgs_as('accountant', 'front_desk', 'admin', 'owner')));
create policy money_staff on payments.disputes for select to authenticated
using (organization_id in (select organizations.orgs_as('accountant', 'admin', 'owner')));

-- Parsed anew by each booking that is made, for the sake of the few that are cancelled: a trigger sees to those.
alter table events.bookings drop constraint cancelled_has_a_time;
