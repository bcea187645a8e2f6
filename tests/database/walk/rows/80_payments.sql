-- Every booking was paid by card and partly refunded. Each payment lost a dispute.
insert into organizations.payout_accounts (organization_id, stripe_account_id)
values (%(organization)s, 'acct_' || %(side)s);

insert into organizations.payout_settings (organization_id) values (%(organization)s);

insert into payments.intents (id, booking_id, organization_id, customer_id, method, amount_cents, currency)
select b.id, b.id, b.organization_id, b.customer_id, 'card', 1000, b.currency
from events.bookings as b
where b.organization_id = %(organization)s;

insert into payments.sales (
    booking_id, organization_id, customer_id, method, amount_cents, fee_cents, refunded_cents, currency
)
select b.id, b.organization_id, b.customer_id, 'card', 1000, 50, 100, b.currency
from events.bookings as b
where b.organization_id = %(organization)s;

insert into payments.refunds (
    booking_id, intent_id, organization_id, customer_id, amount_cents, currency, destination, cause, sold
)
select b.id, b.id, b.organization_id, b.customer_id, 100, b.currency, 'original', 'cancelled', true
from events.bookings as b
where b.organization_id = %(organization)s;

insert into payments.disputes (stripe_dispute_id, intent_id, organization_id, amount_cents, currency, status)
select 'dp_' || b.id, b.id, b.organization_id, 400, b.currency, 'lost'
from events.bookings as b
where b.organization_id = %(organization)s;

insert into payments.balance_transactions (id, type, source_id, amount_cents, fee_cents, net_cents, currency, created_at)
values ('txn_' || %(side)s, 'charge', 'ch_' || %(side)s, 1000, 59, 941, 'CHF', now());

insert into payments.differences (source_id, currency, reason, stripe_cents, ledger_cents)
values ('ch_' || %(side)s, 'CHF', 'not_in_ledger', 941, 0);

insert into payments.transfers (stripe_transfer_id, organization_id, stripe_account_id, amount_cents, currency)
values ('tr_' || %(side)s, %(organization)s, 'acct_' || %(side)s, 500, 'CHF');

insert into payments.payouts (stripe_payout_id, organization_id, amount_cents, currency, status, observed_at)
values ('po_' || %(side)s, %(organization)s, 500, 'CHF', 'paid', now());
