-- What leaves Stripe's balance: transfers to organizers' accounts there, payouts to banks.

create table payments.transfers (
    stripe_transfer_id text primary key,
    organization_id uuid not null references organizations.organizations,
    stripe_account_id text not null,
    amount_cents payments.cents not null,
    reversed_cents payments.cents not null default 0,
    currency char(3) not null references ref.currencies,
    created_at timestamptz not null default now(),
    constraint never_reversed_beyond_the_transfer check (reversed_cents <= amount_cents)
);

create index on payments.transfers (organization_id);
create index on payments.transfers (currency);

comment on table payments.transfers is
'Money that went from the platform''s balance at Stripe to an organizer''s, and what of it came back.';

create table payments.payouts (
    stripe_payout_id text primary key,
    organization_id uuid references organizations.organizations,
    amount_cents bigint not null,
    currency char(3) not null references ref.currencies,
    status text not null,
    arrives_on date,
    failure_code text,
    failure_message text,
    observed_at timestamptz not null
);

create index on payments.payouts (organization_id) where organization_id is not null;
create index on payments.payouts (currency);

comment on table payments.payouts is 'Money that Stripe pays to a bank: the platform''s, or an organizer''s.';
comment on column payments.payouts.organization_id is 'Whose Stripe balance it leaves; null: the platform''s.';

grant select on payments.transfers, payments.payouts to app_read;

alter table payments.transfers enable row level security;
alter table payments.payouts enable row level security;

create policy service on payments.transfers to service_role using (true) with check (true);
create policy service on payments.payouts to service_role using (true) with check (true);
create policy money_staff on payments.transfers for select to authenticated
using (organization_id in (select organizations.orgs_as('accountant', 'admin', 'owner')));
create policy money_staff on payments.payouts for select to authenticated
using (organization_id in (select organizations.orgs_as('accountant', 'admin', 'owner')));
