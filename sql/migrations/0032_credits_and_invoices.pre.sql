-- Wallets, passes, packages, promo codes, taxes, invoices and fees: the ways to pay that need no payment service.

alter table ref.countries add column prices_include_tax boolean not null default true;

comment on column ref.countries.prices_include_tax is
'Whether prices that people are shown include tax, by the country''s custom; else it is added when they pay.';

update ref.countries set prices_include_tax = false
where code in ('CA', 'US');

create table ref.tax_rates (
    country char(2) not null references ref.countries,
    category text not null default 'standard',
    rate_bps integer not null constraint tax_rate_is_a_share check (rate_bps between 0 and 10000),
    valid_from date not null,
    primary key (country, category, valid_from)
);

comment on table ref.tax_rates is
'Value added or sales tax by country and date, in hundredths of a percent. A new rate is a new row.';
comment on column ref.tax_rates.category is
'A category of events that has a rate of its own (ref.event_categories), else standard.';

-- Standard rates in force, and the one before where it is known from when. Sources: European Commission, "VAT rates
-- applied in the Member States of the European Union" and its Taxes in Europe Database; Swiss Federal Tax
-- Administration (whose rates Liechtenstein shares by treaty); HM Revenue & Customs; Skatteetaten; Australian Taxation
-- Office; Inland Revenue New Zealand; National Tax Agency of Japan; Canada Revenue Agency. The United States have no
-- federal sales tax, and Canada's provinces add theirs to the federal one: rows for those are the operator's to add.
insert into ref.tax_rates (country, rate_bps, valid_from)
values
('AT', 2000, '1984-01-01'),
('AU', 1000, '2000-07-01'),
('BE', 2050, '1994-01-01'),
('BE', 2100, '1996-01-01'),
('CA', 600, '2006-07-01'),
('CA', 500, '2008-01-01'),
('CH', 770, '2018-01-01'),
('CH', 810, '2024-01-01'),
('CZ', 2000, '2010-01-01'),
('CZ', 2100, '2013-01-01'),
('DE', 1600, '2020-07-01'),
('DE', 1900, '2021-01-01'),
('DK', 2200, '1980-06-30'),
('DK', 2500, '1992-01-01'),
('ES', 1800, '2010-07-01'),
('ES', 2100, '2012-09-01'),
('FI', 2400, '2013-01-01'),
('FI', 2550, '2024-09-01'),
('FR', 1960, '2000-04-01'),
('FR', 2000, '2014-01-01'),
('GB', 1750, '2010-01-01'),
('GB', 2000, '2011-01-04'),
('IE', 2100, '2020-09-01'),
('IE', 2300, '2021-03-01'),
('IT', 2100, '2011-09-17'),
('IT', 2200, '2013-10-01'),
('JP', 800, '2014-04-01'),
('JP', 1000, '2019-10-01'),
('LI', 770, '2018-01-01'),
('LI', 810, '2024-01-01'),
('LU', 1600, '2023-01-01'),
('LU', 1700, '2024-01-01'),
('NL', 1900, '2001-01-01'),
('NL', 2100, '2012-10-01'),
('NO', 2400, '2001-01-01'),
('NO', 2500, '2005-01-01'),
('NZ', 1250, '1989-07-01'),
('NZ', 1500, '2010-10-01'),
('PL', 2200, '1993-07-05'),
('PL', 2300, '2011-01-01'),
('PT', 2100, '2010-07-01'),
('PT', 2300, '2011-01-01'),
('SE', 2500, '1990-07-01'),
('US', 0, '1900-01-01');

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

-- A payment through Stripe is for a booking or for a package.
alter table payments.intents alter column booking_id drop not null;
alter table payments.intents add column purchase_id uuid references payments.purchases;
alter table payments.intents add constraint intent_is_for_one_thing
check (num_nonnulls(booking_id, purchase_id) = 1) not valid;
alter table payments.intents validate constraint intent_is_for_one_thing;
create unique index one_intent_per_purchase on payments.intents (purchase_id) where purchase_id is not null;

alter table payments.refunds alter column booking_id drop not null;
alter table payments.refunds add column purchase_id uuid references payments.purchases;
alter table payments.refunds add constraint refund_is_of_one_thing
check (num_nonnulls(booking_id, purchase_id) = 1) not valid;
alter table payments.refunds validate constraint refund_is_of_one_thing;
create unique index one_refund_per_purchase_and_cause on payments.refunds (purchase_id, cause)
where purchase_id is not null;

-- These take a promo code, or a quote instead of a price, from now on.
drop function if exists events.book(uuid, integer, events.payment_method, uuid, boolean, uuid, text);
drop function if exists events.accept_offer(uuid, events.payment_method, text);
drop function if exists events.place_booking(
    uuid, events.terms, uuid, integer, boolean, events.payment_method, bigint, uuid, uuid
);
drop function if exists events.method_of_payment(events.terms, integer, events.payment_method, text);

grant select on ref.tax_rates to app_read;
grant select on
payments.packages, payments.purchases, payments.credit_lots, payments.credit_uses, payments.promo_codes,
payments.promo_uses, payments.quotes, payments.invoices, payments.invoice_payments, payments.fees
to app_read;

alter table ref.tax_rates enable row level security;
alter table payments.packages enable row level security;
alter table payments.purchases enable row level security;
alter table payments.credit_lots enable row level security;
alter table payments.credit_uses enable row level security;
alter table payments.promo_codes enable row level security;
alter table payments.promo_uses enable row level security;
alter table payments.quotes enable row level security;
alter table payments.invoice_numbers enable row level security;
alter table payments.invoices enable row level security;
alter table payments.invoice_payments enable row level security;
alter table payments.fees enable row level security;

create policy everybody on ref.tax_rates for select using (true);

create policy service on payments.packages to service_role using (true) with check (true);
create policy service on payments.purchases to service_role using (true) with check (true);
create policy service on payments.credit_lots to service_role using (true) with check (true);
create policy service on payments.credit_uses to service_role using (true) with check (true);
create policy service on payments.promo_codes to service_role using (true) with check (true);
create policy service on payments.promo_uses to service_role using (true) with check (true);
create policy service on payments.quotes to service_role using (true) with check (true);
create policy service on payments.invoices to service_role using (true) with check (true);
create policy service on payments.invoice_payments to service_role using (true) with check (true);
create policy service on payments.fees to service_role using (true) with check (true);

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
create policy own on payments.invoices for select to authenticated
using (customer_id = (select ops.caller_id()));
create policy own on payments.fees for select to authenticated
using (customer_id = (select ops.caller_id()));

create policy money_staff on payments.purchases for select to authenticated
using (organization_id in (select organizations.orgs_as('accountant', 'front_desk', 'admin', 'owner')));
create policy money_staff on payments.credit_lots for select to authenticated
using (organization_id in (select organizations.orgs_as('accountant', 'front_desk', 'admin', 'owner')));
create policy money_staff on payments.quotes for select to authenticated
using (organization_id in (select organizations.orgs_as('accountant', 'front_desk', 'admin', 'owner')));
create policy money_staff on payments.invoices for select to authenticated
using (organization_id in (select organizations.orgs_as('accountant', 'front_desk', 'admin', 'owner')));
create policy money_staff on payments.fees for select to authenticated
using (organization_id in (select organizations.orgs_as('accountant', 'front_desk', 'admin', 'owner')));
create policy money_staff on payments.promo_codes for select to authenticated
using (organization_id in (select organizations.orgs_as('accountant', 'front_desk', 'editor', 'admin', 'owner')));

-- These follow what the caller may see of what they name.
create policy visible_lot on payments.credit_uses for select to authenticated
using (exists (select from payments.credit_lots as l where l.id = credit_uses.lot_id));
create policy visible_code on payments.promo_uses for select to authenticated
using (exists (select from payments.promo_codes as c where c.id = promo_uses.promo_code_id));
create policy visible_invoice on payments.invoice_payments for select to authenticated
using (exists (select from payments.invoices as i where i.id = invoice_payments.invoice_id));
