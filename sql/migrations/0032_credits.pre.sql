-- Wallets, passes, packages, promo codes and quotes: the ways to pay that need no payment service.

create type payments.credit_kind as enum ('wallet', 'pass');
create type payments.credit_source as enum ('purchase', 'grant', 'refund', 'promotion');
create domain payments.credit_rest as bigint constraint credits_never_below_zero check (value >= 0);
create domain payments.credit_amount as bigint constraint credits_are_some check (value > 0);
create domain payments.credit_use as text constraint credits_are_used_for_a_price_or_a_fee
check (value in ('price', 'no_show'));

create table payments.packages (
    id uuid primary key default ops.uuid_v7(),
    organization_id uuid not null references organizations.organizations,
    name text not null constraint package_name_is_short check (length(name) between 1 and 200),
    kind payments.credit_kind not null,
    price_cents payments.credit_amount not null,
    currency char(3) not null references ref.currencies,
    amount payments.credit_amount not null,
    bonus payments.credit_rest not null default 0,
    valid_days integer constraint package_is_valid_for_a_while check (valid_days between 1 and 3650),
    categories text[],
    active boolean not null default true,
    created_at timestamptz not null default now(),
    constraint only_passes_are_for_categories check (kind = 'pass' or categories is null)
);

create index on payments.packages (organization_id, id);
create index on payments.packages (currency);

comment on table payments.packages is 'Credits that an organization sells: money for wallets, or a pass for classes.';
comment on column payments.packages.amount is 'Cents of wallet money, or units of a pass; the bonus comes on top.';
comment on column payments.packages.categories is
'Categories of events that a pass admits to, with those below them; null: all.';

create type payments.purchase_status as enum ('pending', 'granted', 'refunded', 'expired');

create table payments.purchases (
    id uuid primary key,
    package_id uuid not null references payments.packages,
    organization_id uuid not null references organizations.organizations,
    customer_id uuid not null references users.profiles,
    method events.payment_method not null constraint packages_are_paid_through_stripe
    check (method in ('card', 'twint')),
    kind payments.credit_kind not null,
    credits payments.credit_amount not null,
    bonus payments.credit_rest not null,
    valid_days integer,
    categories text[],
    net_cents payments.cents not null,
    tax_cents payments.cents not null,
    tax_bps integer not null,
    tax_country char(2) not null,
    amount_cents payments.credit_amount not null,
    currency char(3) not null references ref.currencies,
    fee_cents payments.cents not null default 0,
    refunded_cents payments.cents not null default 0,
    status payments.purchase_status not null default 'pending',
    created_at timestamptz not null default now(),
    granted_at timestamptz,
    refunded_at timestamptz,
    constraint purchase_is_net_and_tax check (amount_cents = net_cents + tax_cents),
    constraint purchase_never_refunded_beyond_its_price check (refunded_cents <= amount_cents)
);

create index on payments.purchases (organization_id, id);
create index on payments.purchases (customer_id, id);
create index on payments.purchases (package_id);
create index on payments.purchases (currency);

comment on table payments.purchases is 'A package bought: what it was then, what it cost, what became of it.';
comment on column payments.purchases.fee_cents is
'The platform''s share. None for wallet money: that comes when it is spent.';

create table payments.credit_lots (
    id uuid primary key default ops.uuid_v7(),
    kind payments.credit_kind not null,
    source payments.credit_source not null,
    organization_id uuid not null references organizations.organizations,
    customer_id uuid not null references users.profiles,
    account_id uuid references payments.accounts,
    currency char(3) references ref.currencies,
    amount payments.credit_amount not null,
    remaining payments.credit_rest not null,
    lapsed payments.credit_rest not null default 0,
    expires_at timestamptz not null default 'infinity',
    categories text[],
    booking_id uuid references events.bookings,
    purchase_id uuid references payments.purchases,
    refund_id uuid references payments.refunds,
    note text constraint credit_note_is_short check (length(note) <= 500),
    granted_by uuid,
    created_at timestamptz not null default now(),
    constraint lot_holds_no_more_than_was_given check (remaining + lapsed <= amount),
    constraint wallet_lots_are_money check (
        (kind = 'wallet') = (account_id is not null) and (kind = 'wallet') = (currency is not null)
    ),
    constraint only_passes_admit_to_categories check (kind = 'pass' or categories is null)
);

create index live_wallet_lots on payments.credit_lots (account_id, expires_at, id) where remaining > 0;
create index live_passes on payments.credit_lots (customer_id, organization_id, expires_at, id)
where kind = 'pass' and remaining > 0;
create index lots_to_expire on payments.credit_lots (expires_at) where remaining > 0 and expires_at < 'infinity';
create index on payments.credit_lots (organization_id, kind, id);
create index on payments.credit_lots (customer_id, id);
create index lots_of_account on payments.credit_lots (account_id) where account_id is not null;
create index on payments.credit_lots (booking_id) where booking_id is not null;
create index on payments.credit_lots (purchase_id) where purchase_id is not null;
create unique index one_lot_per_refund on payments.credit_lots (refund_id) where refund_id is not null;
create index on payments.credit_lots (currency);

comment on table payments.credit_lots is
'Credits of a customer at an organization as they came in: wallet money in cents, or units of a pass.';
comment on column payments.credit_lots.account_id is
'The wallet in the ledger; what its lots have left is what it holds. Null for passes.';
comment on column payments.credit_lots.remaining is
'What is left. Changed only while the wallet''s balance is locked, or, for a pass, the lot itself.';
comment on column payments.credit_lots.lapsed is 'What expired unused.';
comment on column payments.credit_lots.booking_id is 'The booking whose promo code gave it.';

create table payments.credit_uses (
    booking_id uuid not null references events.bookings,
    lot_id uuid not null references payments.credit_lots,
    purpose payments.credit_use not null,
    amount payments.credit_amount not null,
    returned payments.credit_rest not null default 0,
    used_at timestamptz not null default now(),
    primary key (booking_id, purpose, lot_id),
    constraint never_more_returned_than_was_used check (returned <= amount)
);

create index on payments.credit_uses (lot_id);

comment on table payments.credit_uses is 'What a booking took from which lot, and how much of it came back.';

create type payments.promo_kind as enum ('percent', 'amount', 'credits');

create table payments.promo_codes (
    id uuid primary key default ops.uuid_v7(),
    organization_id uuid not null references organizations.organizations,
    code text not null constraint promo_code_is_plain check (code ~ '^[A-Z0-9_-]{3,40}$'),
    kind payments.promo_kind not null,
    percent_bps integer constraint percent_is_a_share check (percent_bps between 1 and 10000),
    amount_cents bigint constraint promo_amount_is_positive check (amount_cents > 0),
    currency char(3) references ref.currencies,
    valid_from timestamptz not null default now(),
    valid_until timestamptz,
    uses_most integer constraint promo_total_is_positive check (uses_most > 0),
    uses_most_per_customer integer constraint promo_share_is_positive check (uses_most_per_customer > 0),
    used integer not null default 0,
    active boolean not null default true,
    created_by uuid,
    created_at timestamptz not null default now(),
    constraint promo_code_is_unique unique (organization_id, code),
    constraint promo_code_never_overused check (used >= 0 and used <= uses_most),
    constraint percent_or_amount check (
        (kind = 'percent') = (percent_bps is not null)
        and (kind <> 'percent') = (amount_cents is not null)
        and (kind <> 'percent') = (currency is not null)
    ),
    constraint promo_code_ends_after_it_begins check (valid_until > valid_from)
);

create index on payments.promo_codes (currency);

comment on column payments.promo_codes.amount_cents is 'Taken off the price, or, for credits, put into the wallet.';
comment on column payments.promo_codes.used is
'How often it is in use: counted by the routines that use it and give it back, which lock the row.';

create table payments.promo_uses (
    booking_id uuid primary key references events.bookings,
    promo_code_id uuid not null references payments.promo_codes,
    customer_id uuid not null references users.profiles,
    discount_cents payments.cents not null,
    used_at timestamptz not null default now(),
    given_back_at timestamptz
);

create index promo_uses_of_customer on payments.promo_uses (promo_code_id, customer_id) where given_back_at is null;
create index on payments.promo_uses (promo_code_id);
create index on payments.promo_uses (customer_id);

comment on table payments.promo_uses is 'A promo code, used by a booking; given back where nothing came of it.';

create table payments.quotes (
    booking_id uuid primary key references events.bookings,
    organization_id uuid not null references organizations.organizations,
    customer_id uuid not null references users.profiles,
    list_cents payments.cents not null,
    discount_cents payments.cents not null,
    net_cents payments.cents not null,
    tax_cents payments.cents not null,
    total_cents payments.cents not null,
    currency char(3) not null,
    tax_country char(2) not null,
    tax_category text not null,
    tax_bps integer not null,
    tax_added boolean not null,
    promo_code_id uuid references payments.promo_codes,
    constraint total_is_net_and_tax check (total_cents = net_cents + tax_cents),
    constraint discount_is_part_of_the_price check (discount_cents <= list_cents)
);

create index on payments.quotes (organization_id);
create index on payments.quotes (customer_id);
create index on payments.quotes (promo_code_id) where promo_code_id is not null;

comment on table payments.quotes is 'How the price of a paid booking came about, whatever it is paid with.';
comment on column payments.quotes.tax_added is 'Whether the tax came on top of the price, by the country''s custom.';

-- A payment through Stripe is for a booking or for a package.
alter table payments.intents alter column booking_id drop not null;
alter table payments.intents add column purchase_id uuid references payments.purchases;
alter table payments.intents add constraint intent_is_for_one_thing
check (num_nonnulls(booking_id, purchase_id) = 1);
create unique index one_intent_per_purchase on payments.intents (purchase_id) where purchase_id is not null;

alter table payments.refunds alter column booking_id drop not null;
alter table payments.refunds add column purchase_id uuid references payments.purchases;
alter table payments.refunds add constraint refund_is_of_one_thing
check (num_nonnulls(booking_id, purchase_id) = 1);
create unique index one_refund_per_purchase_and_cause on payments.refunds (purchase_id, cause)
where purchase_id is not null;

-- These take a promo code, or a quote instead of a price, from now on.
drop function if exists events.book(uuid, integer, events.payment_method, uuid, boolean, uuid, text);
drop function if exists events.accept_offer(uuid, events.payment_method, text);
drop function if exists events.place_booking(
    uuid, events.terms, uuid, integer, boolean, events.payment_method, bigint, uuid, uuid
);
drop function if exists events.method_of_payment(events.terms, integer, events.payment_method, text);

-- Who came is sometimes written down wrongly at first.
insert into ops.transitions (machine, from_state, to_state)
values
('booking', 'no_show', 'attended'),
('booking', 'attended', 'no_show');

grant select on
payments.packages, payments.purchases, payments.credit_lots, payments.credit_uses, payments.promo_codes,
payments.promo_uses, payments.quotes
to app_read;

alter table payments.packages enable row level security;
alter table payments.purchases enable row level security;
alter table payments.credit_lots enable row level security;
alter table payments.credit_uses enable row level security;
alter table payments.promo_codes enable row level security;
alter table payments.promo_uses enable row level security;
alter table payments.quotes enable row level security;

create policy service on payments.packages to service_role using (true) with check (true);
create policy service on payments.purchases to service_role using (true) with check (true);
create policy service on payments.credit_lots to service_role using (true) with check (true);
create policy service on payments.credit_uses to service_role using (true) with check (true);
create policy service on payments.promo_codes to service_role using (true) with check (true);
create policy service on payments.promo_uses to service_role using (true) with check (true);
create policy service on payments.quotes to service_role using (true) with check (true);

create policy on_sale on payments.packages for select using (active);
create policy staff on payments.packages for select to authenticated
using (organization_id in (select organizations.orgs_as('accountant', 'front_desk', 'editor', 'admin', 'owner')));

create policy own on payments.purchases for select to authenticated
using (customer_id = (select ops.caller_id()));
create policy own on payments.credit_lots for select to authenticated
using (customer_id = (select ops.caller_id()));
create policy own on payments.promo_uses for select to authenticated
using (customer_id = (select ops.caller_id()));
create policy own on payments.quotes for select to authenticated
using (customer_id = (select ops.caller_id()));

create policy money_staff on payments.purchases for select to authenticated
using (organization_id in (select organizations.orgs_as('accountant', 'front_desk', 'admin', 'owner')));
create policy money_staff on payments.credit_lots for select to authenticated
using (organization_id in (select organizations.orgs_as('accountant', 'front_desk', 'admin', 'owner')));
create policy money_staff on payments.quotes for select to authenticated
using (organization_id in (select organizations.orgs_as('accountant', 'front_desk', 'admin', 'owner')));
create policy money_staff on payments.promo_codes for select to authenticated
using (organization_id in (select organizations.orgs_as('accountant', 'front_desk', 'editor', 'admin', 'owner')));

-- These follow what the caller may see of what they name.
create policy visible_lot on payments.credit_uses for select to authenticated
using (exists (select from payments.credit_lots as l where l.id = credit_uses.lot_id));
create policy visible_code on payments.promo_uses for select to authenticated
using (exists (select from payments.promo_codes as c where c.id = promo_uses.promo_code_id));
