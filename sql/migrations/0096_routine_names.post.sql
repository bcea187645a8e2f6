-- Drop the routines whose names did not say what they do. Routines with clearer names have replaced them.
--
-- Code that runs until now calls the old names, so they are dropped after it. Triggers and views already use the new
-- routines, because their files created them again.

drop aggregate if exists payments.chain(bytea);

drop function if exists
    events.abandon_unpaid(uuid),
    events.change_inventory(uuid, integer, integer, integer),
    events.confirm_paid(uuid),
    events.edit_series(uuid),
    events.end_refunded(uuid),
    events.end_waits(timestamptz, integer),
    events.entry_of(uuid, uuid),
    events.expire_holds_of(uuid, timestamptz),
    events.first_made(text, text, jsonb, uuid),
    events.make_room(events.terms, uuid, integer),
    events.may_come_back(events.bookings),
    events.may_pass(uuid),
    events.method_of_payment(events.terms, payments.quotes, events.payment_method, text),
    events.move_occurrences(uuid, jsonb, date),
    events.own_entry(uuid),
    events.refuse_hold_again(uuid, uuid, events.hold_purpose),
    events.refuse_unless_staff(events.terms),
    events.seats_left_for(uuid, jsonb, uuid, text),
    events.settle_entry(uuid, uuid, integer),
    events.summary_of(uuid),
    events.take_turn(uuid),
    events.tell_of_change(uuid[], timestamptz[], text[]),
    events.waitlist_entries_of(uuid, integer, integer),
    events.words_of(text);

drop function if exists
    messaging.audience(text, jsonb, timestamptz),
    messaging.begin_telling(bigint, text, uuid, uuid, text, text, text, integer, timestamptz),
    messaging.finish_telling(bigint, text, text, text, boolean, boolean, timestamptz),
    messaging.reason_of(text, jsonb);

drop function if exists
    ops.first_answer(uuid, text, text, bytea),
    ops.judge(double precision, double precision, double precision),
    ops.limit_of(text),
    ops.measure(jsonb, double precision, timestamptz),
    ops.tell_of_alert(text, bigint);

drop function if exists
    payments.adopt_refund(payments.intents, text, bigint, bigint),
    payments.begin_payout_account(uuid),
    payments.book_balance_transaction(payments.balance_transactions),
    payments.book_stripe_fee(payments.intents, text, text),
    payments.books_state(timestamptz),
    payments.categories_of(uuid),
    payments.charge(uuid, payments.quotes),
    payments.debt_of(payments.refunds),
    payments.end_by_dispute(uuid),
    payments.first_posting(text, uuid[], bigint[], text, text, uuid, uuid),
    payments.follow_entries(),
    payments.fulfil(payments.intents),
    payments.give_back_promo_codes(uuid[]),
    payments.give_up(payments.intents),
    payments.grant_promised(events.bookings),
    payments.keep_payout_account(uuid, text),
    payments.knows_refund(uuid, text),
    payments.language_of(uuid),
    payments.last_catch_up(text),
    payments.link(bytea, bytea),
    payments.methods_of(uuid, text),
    payments.move(text, text, jsonb, text, text, uuid),
    payments.movements_of(uuid, timestamptz, timestamptz),
    payments.payment_of(uuid),
    payments.payout_account_of(uuid),
    payments.post_missing(jsonb),
    payments.purchase_of(uuid),
    payments.reduced_event(json),
    payments.refuse_change(),
    payments.rest_of_sale(payments.intents),
    payments.return_payment(payments.intents),
    payments.sell(uuid),
    payments.set_aside(uuid, uuid, bigint, text, text, text, uuid),
    payments.set_beyond_apart(payments.intents, text, bigint),
    payments.settle_by_dispute(uuid),
    payments.spendable(uuid),
    payments.statement_lines_of(uuid, date, date, text),
    payments.take_back_debt(payments.refunds),
    payments.take_back_fee(uuid),
    payments.take_over_refund(payments.intents, text, bigint, bigint, boolean),
    payments.tax_of(text, text, date),
    payments.tell_of_credits(uuid, bigint),
    payments.undo_by_hand(payments.intents, text, bigint),
    payments.undo_sales(uuid[], text, text, bigint[]),
    payments.use_promo_code_again(uuid);

drop function if exists
    rating.content_of(text, text, text, text, text, text, double precision),
    rating.honest_share_of(uuid),
    rating.moment_of(jsonb),
    rating.restart(uuid),
    rating.settings_of(uuid),
    rating.sliders_of(uuid, timestamptz, bigint, integer),
    rating.standings_of(uuid, integer, integer),
    rating.text_of(jsonb),
    rating.unveiled(json),
    rating.veiled(json),
    rating.votes_of(uuid, timestamptz, bigint, integer);

drop function if exists
    staging.cents_of(text, integer),
    staging.moment_of(text),
    staging.said(boolean, text, text, text),
    staging.whole_of(text, integer, integer);

drop function if exists
    users.address_of(users.profiles),
    users.claimed_address(jsonb),
    users.claimed_at(jsonb),
    users.follow_token(uuid),
    users.organizations_of(uuid);
