-- Describe tables and columns of payments, organizations, users, the import and the outbox in comments.
--
-- Also rewords the reasons in ops.retention why personal data stays at erasure.

comment on schema organizations is 'Tenants with their members, locations, policies and payout accounts.';

comment on schema payments is 'The ledger, and the payments, refunds, credits, invoices and payouts that post to it.';

comment on schema staging is 'Exports of an earlier system, unchanged, and the outcome of each row.';

comment on schema users is 'Profiles of people.';

comment on column organizations.organizations.offer_minutes is 'How long a waitlist offer reserves its seats.';

comment on column organizations.organizations.last_offer_minutes is
'Waitlist offers stop this many minutes before the event starts.';

comment on column organizations.organizations.offers_most is
'A person leaves the waitlist after this many expired offers. Each earlier one moves them to its end.';

comment on column organizations.organizations.reminder_hours is
'Customers receive a reminder this many hours before the start; 0: none.';

comment on table organizations.instructors is
'People who lead events, as the public sees them. An instructor who signs in is linked to a profile.';

comment on table organizations.payout_settings is
'The platform''s share of an organizer''s sales, and the payment methods of its customers. Without a row the defaults '
'apply.';

comment on column organizations.payout_settings.fee_refunded is
'Whether the platform''s share is refunded with a refund.';

comment on column organizations.payout_settings.payment_minutes is
'How long seats are reserved for a customer who pays by card or TWINT.';

comment on column organizations.policies.opens_days_before is
'Booking opens this many days before the start; null: at once.';

comment on column organizations.policies.closes_minutes_before is
'Sales end this many minutes before the start; negative: after it.';

comment on column organizations.policies.seats_max_per_person is
'The most seats of one customer at an event, with guests, holds and waitlist entries; null: the platform''s maximum.';

comment on column users.profiles.email_verified_at is
'When the address was last verified. Null: never, and then it is not used. Read addresses by users.verified_address.';

comment on column users.profiles.former_emails is
'Earlier verified addresses in lower case, kept for 90 days after the last change. Erasure finds imported rows by '
'them.';

comment on table payments.accounts is
'Accounts of the ledger by owner, type and currency. Created by payments.account, never changed.';

comment on column payments.accounts.organization_id is
'The organization of a user''s account. A wallet is a user''s account of type credits within an organization.';

comment on table payments.balances is
'Balances of guarded accounts, in their normal sign. The trigger of payments.entries updates them.';

comment on table payments.transactions is
'Transactions of the ledger. The posting routines insert them in one statement with their entries.';

comment on column payments.transactions.occurred_at is
'The time of the occurrence; recorded_at is the time of the insert.';

comment on column payments.transactions.actor_id is 'The person who caused it; null for a service.';

comment on table payments.entries is
'The change of one account by a transaction: debit positive, credit negative, in the account''s currency.';

comment on table payments.seals is
'The hash chain of each account''s entries, in the order of sealing, with the balance after each.';

comment on table payments.unsealed_entries is
'Entries without a seal: inserted with each entry, deleted by payments.seal_entries.';

comment on table payments.quotes is 'The computed price of a paid booking: list price, discount, tax and total.';

comment on column payments.quotes.tax_added is
'Whether the tax was added to the price, as is the custom in the country.';

comment on table payments.intents is
'Payments through Stripe: created before the request to Stripe, and completed by its reports.';

comment on column payments.intents.id is 'The id of the booking or purchase. Stripe''s idempotency key contains it.';

comment on column payments.intents.observed_at is
'When Stripe had the recorded state. An earlier observation does not overwrite it.';

comment on column payments.intents.available_at is 'The sweep processes the payment from this time on.';

comment on table payments.sales is 'Sales of paid bookings, with the part that was refunded.';

comment on table payments.refunds is
'Refunds: created with their cause, sent by the sweep, and completed by Stripe''s reports.';

comment on column payments.refunds.cause is
'The reason as a word that is unique per booking, so that each cause makes one refund.';

comment on column payments.refunds.sold is
'Whether it reverses a sale. False, for example, for a payment that arrived too late.';

comment on column payments.refunds.reopened is
'How often it became a new refund for Stripe. The number is part of its idempotency key.';

comment on column payments.refunds.beyond is
'Whether it is an excess refund: money refunded at Stripe beyond the refundable amount. The customer owes it.';

comment on column payments.refunds.earlier_stripe_ids is 'Former ids at Stripe. Reports about them change nothing.';

comment on column payments.refunds.debt_outcome is
'The settlement of the debt of an excess refund. It is reversed if Stripe fails to deliver the refund afterwards.';

comment on column payments.refunds.debt_settled_by is 'The person who recorded the settlement of the debt.';

comment on table payments.balance_transactions is
'Movements of Stripe''s balance, as Stripe lists them: net of the fees that it kept.';

comment on column payments.balance_transactions.source_id is
'The Stripe object that caused it: a charge, a refund, a dispute, a payout.';

comment on table payments.differences is
'Differences between the clearing account and Stripe''s balance by source, with the times when they were opened and '
'resolved.';

comment on column payments.packages.amount is 'Cents of wallet money or units of a pass, without the bonus.';

comment on column payments.packages.categories is
'Categories of events that a pass admits to, including their subcategories; null: all.';

comment on table payments.purchases is 'Purchases of packages: the terms at that time, the price and the state.';

comment on column payments.purchases.fee_cents is
'The platform''s share. Zero for wallet money, whose share is due when it is spent.';

comment on table payments.credit_lots is
'Credits that a customer received at an organization: wallet money in cents, or units of a pass.';

comment on column payments.credit_lots.account_id is
'The wallet in the ledger. Its balance is the sum of the remaining amounts of its lots. Null for passes.';

comment on column payments.credit_lots.remaining is
'The unused amount. Changed only while the wallet''s balance is locked, or, for a pass, the lot itself.';

comment on column payments.credit_lots.lapsed is 'The amount that expired or was taken back.';

comment on column payments.credit_lots.booking_id is 'The booking whose promo code granted it.';

comment on table payments.credit_uses is 'The amount that a booking took from a lot, and the part that was returned.';

comment on table payments.fees is
'No-show fees: taken from the wallet or owed, and reversed when they are corrected or waived.';

comment on column payments.fees.settled_by is 'The person who recorded the payment of the fee or waived it.';

comment on column payments.fees.reason is 'The reason of the waiver.';

comment on column payments.promo_codes.amount_cents is 'The discount on the price, or the credits for the wallet.';

comment on column payments.promo_codes.used is
'The number of present uses. The routines that use and release the code count it and lock the row.';

comment on table payments.promo_uses is
'Uses of promo codes by bookings. A use is released if the booking is never paid or the organizer cancels it.';

comment on table payments.invoices is
'Invoices and credit notes, in one series without gaps per organization. Only the buyer''s personal data ever changes.';

comment on column payments.invoices.seller is
'The seller at the time of issue; the same applies to the buyer and the lines.';

comment on table payments.invoice_numbers is
'The last number of each organization''s series. A routine that takes a number locks the row after all other locks.';

comment on table payments.invoice_payments is 'Payments of invoices to the organizer''s bank account.';

comment on column payments.payouts.organization_id is
'The organizer whose Stripe balance it leaves; null: the platform''s own.';

comment on table payments.transfers is
'Transfers from the platform''s Stripe balance to an organizer''s, with the reversed amount.';

comment on table payments.webhook_inbox is
'Stripe events, each once by its id. An event is acknowledged once it is stored here, and then handled, ignored or '
'parked.';

comment on column payments.webhook_inbox.account is 'The connected account of the event; null: the platform''s own.';

comment on column payments.webhook_inbox.created_at is 'The time of the event at Stripe.';

comment on column payments.webhook_inbox.payload is
'The members that processing needs, without personal data (payments.redact_stripe_event).';

comment on column payments.webhook_inbox.caught_up is
'Whether a backfill found it in Stripe''s list of events before a webhook brought it.';

comment on column payments.webhook_inbox.attempts is
'How often a worker started to process it. It is parked after five failures.';

comment on column payments.webhook_inbox.postponements is
'How often Stripe or the database was not available. These attempts do not count.';

comment on column payments.webhook_inbox.available_at is 'The sweep skips the event until then.';

comment on column payments.webhook_inbox.lease_until is
'The end of a worker''s lease. Afterwards another worker may claim the event.';

comment on table public.outbox is
'Messages to send. Relayed in order per key, at least once. A row that keeps failing is parked, and later rows '
'continue.';

comment on column public.outbox.key is 'The subject of the message. Messages with the same key are relayed in order.';

comment on column public.outbox.lease_until is
'The end of a relay''s lease. Afterwards another relay may claim the message.';

comment on column public.outbox.attempts is 'How often sending failed. The message is parked after five failures.';

comment on table staging.outcomes is 'The outcome of each row of the last import: exactly one per row.';

comment on column staging.outcomes.line is 'The line of its file where the row starts, counted from 1 with the header.';

comment on table ops.retention is
'The content of each column, its retention period, and its handling at erasure. See docs/operate/privacy.md.';

comment on column ops.retention.rule is
'The name of the period, which is its key in the result of ops.clean_up. Empty for a column without its own period.';

comment on column ops.retention.kind is
'person: a person''s id. code: ids of things or listed words. content: an organization''s. system: text that the '
'system writes.';

comment on column ops.retention.is_old is 'A condition on the row r; $1 is the start of the period.';

update ops.retention as r
set reason = 'The record names the person who acted.'
where
    (r.table_name, r.column_name) in (
        ('events.bookings', 'booked_by'),
        ('payments.credit_lots', 'granted_by'),
        ('payments.fees', 'settled_by'),
        ('payments.invoice_payments', 'recorded_by'),
        ('payments.promo_codes', 'created_by'),
        ('payments.refunds', 'debt_settled_by')
    );

update ops.retention as r
set reason = 'The record names the person who acted. Goes with the row.'
where r.table_name = 'ops.state_history' and r.column_name = 'actor_id';

update ops.retention as r
set reason = 'Proves who read the data. A month is dropped after 13 months.'
where r.table_name = 'ops.access_log' and r.column_name = 'caller_id';

update ops.retention as r
set reason = 'The debt remains as a claim without a name.'
where r.table_name = 'payments.fees' and r.column_name = 'customer_id';
