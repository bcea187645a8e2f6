"""Analytics, statements and dashboards show the money of the ledger, after every kind of sale and refund."""

import re
from pathlib import Path

import pytest

from tests.kit import money_figures, packages, routines
from tests.kit.money_figures import Till, dashboard
from tests.kit.packages import buy, money, offer
from tests.kit.payments import DISPUTE, PRICE, dashboard_refund

ROUTINES = Path(__file__).resolve().parents[2] / "sql" / "routines"
SHARE = PRICE * 95 // 100
"""The organization's share of the price."""


def card_sale(till):
    till.paid_by_card()


def card_sale_refunded(till):
    till.refund(till.paid_by_card())
    till.send_refunds()


def card_sale_refunded_in_part(till):
    till.refund(till.paid_by_card(), 4000)


def refund_that_failed(till):
    till.refund(till.paid_by_card())
    till.send_refunds("failed", "expired_or_canceled_card")


def refund_at_stripe(till):
    till.apply_payment(till.paid_by_card(), refunds=[dashboard_refund(1, PRICE)])


def excess_refund(till):
    """Refund a booking to the wallet, spend the money, and refund once more at Stripe. Return both."""
    booking = cancelled_to_the_wallet(till)
    till.buy_with("wallet")
    till.apply_payment(booking, refunds=[dashboard_refund(1, PRICE)])
    return booking, till.db.execute("select id from payments.refunds where beyond").fetchone()["id"]


def cancelled_to_the_wallet(till):
    booking = till.paid_by_card()
    till.db.execute('update events.bookings set policy = policy || \'{"refund_to": "wallet"}\'')
    till.cancel(booking, till.booker)
    return booking


def excess_refund_recovered(till):
    """Let the unspent money in the wallet pay the debt."""
    booking = cancelled_to_the_wallet(till)
    till.apply_payment(booking, refunds=[dashboard_refund(1, PRICE)])
    return booking


def excess_refund_recovered_but_not_delivered(till):
    till.apply_payment(excess_refund_recovered(till), refunds=[dashboard_refund(1, PRICE, "failed")])


def excess_refund_owed(till):
    excess_refund(till)


def excess_refund_forgiven(till):
    till.call("select payments.settle_debt(refund_id => %s, outcome => 'forgiven')", excess_refund(till)[1])


def excess_refund_paid(till):
    booking, refund_id = excess_refund(till)
    till.call("select payments.settle_debt(refund_id => %s, outcome => 'paid')", refund_id)
    return booking


def excess_refund_paid_but_not_delivered(till):
    till.apply_payment(excess_refund_paid(till), refunds=[dashboard_refund(1, PRICE, "failed")])


def open_dispute(till):
    till.dispute(till.paid_by_card(), "needs_response")


def dispute_won(till):
    booking = till.paid_by_card()
    till.dispute(booking, "needs_response")
    till.dispute(booking, "won")


def dispute_lost(till):
    till.dispute(till.paid_by_card())


def dispute_lost_in_part(till):
    till.dispute(till.paid_by_card(), amount_cents=4000)


def dispute_lost_of_a_cancelled_booking(till):
    booking = till.paid_by_card()
    till.dispute(booking, "needs_response")
    till.cancel(booking, till.booker)
    till.dispute(booking)


def dispute_in_another_currency(till):
    till.dispute(till.paid_by_card(), amount_cents=9100, currency="EUR")


def wallet_booking(till):
    till.give(till.booker, 2 * PRICE)
    till.buy_with("wallet")


def wallet_booking_cancelled(till):
    till.give(till.booker, PRICE)
    till.cancel(till.buy_with("wallet"), till.booker)


def grant_expired(till):
    till.give(till.booker, PRICE, "1 day")
    till.expire("2 days")


def pass_granted_and_used(till):
    till.give_pass(till.booker, 5)
    till.buy_with("pass")


def pass_bought_and_used(till):
    packages.apply_payment(till, buy(till, till.booker, offer(till)))
    till.buy_with("pass")


def pass_bought_and_refunded(till):
    purchase = buy(till, till.booker, offer(till))
    packages.apply_payment(till, purchase)
    till.buy_with("pass")
    packages.refund(till, purchase)


def pass_disputed(till):
    lost = {**DISPUTE, "amount_cents": 20000, "status": "lost"}
    packages.apply_payment(till, buy(till, till.booker, offer(till)), disputes=[lost])


def wallet_money_bought(till):
    packages.apply_payment(till, buy(till, till.booker, money(till)))


def wallet_money_bought_and_used(till):
    wallet_money_bought(till)
    till.buy_with("wallet")


def wallet_money_bought_and_refunded(till):
    purchase = buy(till, till.booker, money(till))
    packages.apply_payment(till, purchase)
    packages.refund(till, purchase)


def wallet_money_bought_and_expired(till):
    packages.apply_payment(till, buy(till, till.booker, money(till, valid_days=1, bonus=0)))
    till.expire("2 days")


def money_bought(till, **terms):
    """Buy wallet money of 100.00, without a bonus."""
    purchase = buy(till, till.booker, money(till, **{"price_cents": PRICE, "bonus": 0, **terms}))
    packages.apply_payment(till, purchase)
    return purchase


def dispute_package(till, purchase, status="needs_response"):
    dispute = {**DISPUTE, "amount_cents": purchase["price_cents"], "status": status}
    packages.apply_payment(till, purchase, disputes=[dispute])


def wallet_money_expired_and_refunded_at_stripe(till):
    purchase = money_bought(till, price_cents=9000, valid_days=1)
    till.expire("2 days")
    packages.apply_payment(till, purchase, refunds=[dashboard_refund(1, 9000)])


def wallet_money_used_expired_and_refunded_at_stripe_in_part(till):
    purchase = money_bought(till, valid_days=1)
    till.buy_with("wallet", event_id=till.event(price_cents=3000))
    till.expire("2 days")
    packages.apply_payment(till, purchase, refunds=[dashboard_refund(1, 4000)])


def wallet_money_disputed(till):
    dispute_package(till, money_bought(till))


def wallet_money_used_and_disputed(till, status="needs_response"):
    purchase = money_bought(till, valid_days=1)
    till.buy_with("wallet", event_id=till.event(price_cents=3000))
    till.expire("2 days")
    dispute_package(till, purchase, status)
    return purchase


def wallet_money_used_and_dispute_lost(till):
    return wallet_money_used_and_disputed(till, "lost")


def wallet_money_used_and_dispute_won_after_all(till):
    dispute_package(till, wallet_money_used_and_dispute_lost(till), "won")


def pass_used_and_disputed(till):
    purchase = buy(till, till.booker, offer(till))
    packages.apply_payment(till, purchase)
    till.buy_with("pass")
    dispute_package(till, purchase)


def disputed_and_cancelled(till):
    booking = till.paid_by_card()
    till.dispute(booking, "needs_response")
    till.cancel(booking, till.booker)
    return booking


def disputed_and_cancelled_with_credits(till):
    till.create_code("GIFT", kind="credits", amount_cents=2000, currency="CHF")
    booking = till.buy_with("card", promo_code="GIFT")
    till.apply_payment(booking)
    till.buy_with("wallet", event_id=till.event(price_cents=2000))
    till.dispute(booking, "needs_response")
    till.cancel(booking, till.booker)


def disputed_cancelled_and_won(till):
    till.dispute(disputed_and_cancelled(till), "won")


def disputed_after_its_refund(till):
    booking = till.paid_by_card()
    till.refund(booking)
    till.send_refunds()
    till.apply_payment(booking, disputes=[{**DISPUTE, "status": "needs_response"}])


def disputed_in_part_before_a_refund_in_part(till):
    """Let the bank's 70.00 pay the refund of 60.00, and return 10.00 of the rest."""
    booking = till.paid_by_card()
    till.refund(booking, 6000)
    till.dispute(booking, "needs_response", amount_cents=7000)


def disputed_after_a_late_payment(till):
    booking = till.book(till.booker)
    till.cancel(booking, till.booker)
    till.apply_payment(booking)
    till.dispute(booking, "needs_response")


def disputed_in_another_currency_and_cancelled(till):
    booking = till.paid_by_card()
    till.dispute(booking, "needs_response", amount_cents=9100, currency="EUR", stripe_id="dp_2")
    till.cancel(booking, till.booker)


def invoice(till):
    till.buy_with("invoice")


def invoice_paid(till):
    till.buy_with("invoice")
    invoice_id = till.db.execute("select id from payments.invoices").fetchone()["id"]
    till.call("select payments.record_invoice_payment(%s)", invoice_id)


def invoice_cancelled(till):
    till.cancel(till.buy_with("invoice"), till.booker)


def invoice_paid_and_cancelled(till):
    invoice_paid(till)
    till.cancel(till.db.execute("select * from events.bookings").fetchone(), till.booker)


def late_cancellation(till):
    booking = till.paid_by_card()
    till.db.execute("update events.bookings set policy = policy || '{\"cancel_hours_before\": 2160}'")
    till.cancel(booking, till.booker)


def no_show_fee(till):
    till.miss(till.paid_by_card())


def no_show_fee_paid(till):
    no_show_fee(till)
    till.call("select payments.record_fee_payment(%s)", till.fee_id())


def no_show_fee_waived(till):
    no_show_fee(till)
    till.call("select payments.waive_fee(%s)", till.fee_id())


def no_show_fee_paid_and_waived(till):
    no_show_fee_paid(till)
    till.call("select payments.waive_fee(%s)", till.fee_id())


def promo_code_with_credits(till):
    till.create_code("GIFT", kind="credits", amount_cents=2000, currency="CHF")
    till.apply_payment(till.buy_with("card", promo_code="GIFT"))


def promo_code_with_discount(till):
    till.create_code("TENTH", kind="percent", percent_bps=1000)
    till.apply_payment(till.buy_with("card", promo_code="TENTH"))


def promo_code_with_spent_credits(till, price=1000):
    """Use credits that are worth more than their booking, then cancel it."""
    till.create_code("GIFT", kind="credits", amount_cents=PRICE, currency="CHF")
    till.event_id = till.event(price_cents=price)
    booking = till.buy_with("card", promo_code="GIFT")
    till.apply_payment(booking)
    till.event_id = till.event()
    till.buy_with("wallet")
    till.cancel(booking, till.booker)


def promo_code_with_spent_credits_paid(till):
    promo_code_with_spent_credits(till)
    refund_id = till.db.execute("select id from payments.refunds where beyond").fetchone()["id"]
    till.call("select payments.settle_debt(refund_id => %s, outcome => 'paid')", refund_id)


def late_cancellation_of_a_free_booking(till):
    policy = {**till.policy, "cancel_hours_before": 2160, "late_fee_cents": 900}
    till.event_id = till.event(price_cents=0, policy=policy)
    till.cancel(till.buy_with(None), till.booker)


def late_cancellation_fee_paid(till):
    late_cancellation_of_a_free_booking(till)
    till.call("select payments.record_fee_payment(%s)", till.fee_id())


def late_cancellation_fee_waived(till):
    late_cancellation_of_a_free_booking(till)
    till.call("select payments.waive_fee(%s)", till.fee_id())


def comp(till):
    query = "select events.book(event_id => %s, customer_id => %s, payment_method => 'comp', idempotency_key => 'a')"
    till.call(query, till.event_id, till.booker)


def payment_returned(till):
    booking = till.book(till.booker)
    till.cancel(booking, till.booker)
    till.apply_payment(booking)


def transfer_and_reversal(till):
    till.paid_by_card()
    till.transfer("tr_1", 5000, 1000)


LOST = SHARE - PRICE
"""The organization has lost the price of a disputed sale, and still owes the platform its share."""

CASES = [
    (card_sale, SHARE, PRICE),
    (card_sale_refunded, 0, 0),
    (card_sale_refunded_in_part, 5700, 6000),
    (refund_that_failed, 0, 0),
    (refund_at_stripe, 0, 0),
    (excess_refund_owed, SHARE, PRICE),
    (excess_refund_forgiven, SHARE - PRICE, 0),
    (excess_refund_paid, SHARE, PRICE),
    (excess_refund_paid_but_not_delivered, SHARE, PRICE),
    (excess_refund_recovered, 0, 0),
    (excess_refund_recovered_but_not_delivered, 0, 0),
    (open_dispute, LOST, 0),
    (dispute_won, SHARE, PRICE),
    (dispute_lost, LOST, 0),
    (dispute_lost_in_part, 5500, 6000),
    (dispute_lost_of_a_cancelled_booking, 0, 0),
    (wallet_booking, SHARE - 2 * PRICE, PRICE),
    (wallet_booking_cancelled, -PRICE, 0),
    (grant_expired, 0, 0),
    (pass_granted_and_used, 0, 0),
    (pass_bought_and_used, 19000, 20000),
    (pass_bought_and_refunded, 1900, 2000),
    (pass_disputed, 0, 0),
    (wallet_money_bought, -3000, 0),
    (wallet_money_bought_and_used, SHARE - 3000, PRICE),
    (wallet_money_bought_and_refunded, 0, 0),
    (wallet_money_bought_and_expired, 9000, 0),
    (wallet_money_expired_and_refunded_at_stripe, 0, 0),
    (wallet_money_used_expired_and_refunded_at_stripe_in_part, 5850, 3000),
    (wallet_money_disputed, -PRICE, 0),
    (wallet_money_used_and_disputed, 2850 + 7000 - PRICE, 3000),
    (wallet_money_used_and_dispute_lost, 2850, 3000),
    (wallet_money_used_and_dispute_won_after_all, 2850, 3000),
    (pass_used_and_disputed, 19000 - 20000, 2000),
    (disputed_and_cancelled, -PRICE, 0),
    (disputed_and_cancelled_with_credits, SHARE - 2000 + 1900 - 7600 - PRICE + 100, 2000 + 2000),
    (disputed_cancelled_and_won, 0, 0),
    (disputed_after_its_refund, -PRICE, 0),
    (disputed_in_part_before_a_refund_in_part, 3800 - 7000, 3000),
    (disputed_after_a_late_payment, -PRICE, 0),
    (invoice, SHARE, PRICE),
    (invoice_paid, SHARE, PRICE),
    (invoice_cancelled, 0, 0),
    (invoice_paid_and_cancelled, 0, 0),
    (late_cancellation, 475, 500),
    (late_cancellation_of_a_free_booking, 855, 900),
    (late_cancellation_fee_paid, 855, 900),
    (late_cancellation_fee_waived, 0, 0),
    (no_show_fee, SHARE + 855, PRICE + 900),
    (no_show_fee_paid, SHARE + 855, PRICE + 900),
    (no_show_fee_waived, SHARE, PRICE),
    (no_show_fee_paid_and_waived, SHARE, PRICE),
    (promo_code_with_credits, SHARE - 2000, PRICE),
    (promo_code_with_discount, SHARE * 9 // 10, PRICE * 9 // 10),
    (promo_code_with_spent_credits, 950 + SHARE - PRICE + 9000 + 50, 1000 + PRICE + 9000),
    (promo_code_with_spent_credits_paid, 950 + SHARE - PRICE + 9000 + 50, 1000 + PRICE + 9000),
    (comp, 0, 0),
    (payment_returned, 0, 0),
    (transfer_and_reversal, SHARE, PRICE),
]


@pytest.mark.parametrize(("scene", "revenue", "spent"), CASES, ids=[scene.__name__ for scene, *_ in CASES])
def test_revenue_and_spending_equal_the_ledger_after(db, scene, revenue, spent):
    till = Till(db)
    scene(till)

    assert till.shown() == (revenue, {"CHF": spent} if spent else {})


def test_figures_do_not_depend_on_seals(db):
    till = Till(db)
    no_show_fee_paid(till)
    for _round in range(3):
        before = till.shown()
        assert routines.call(db, None, "select payments.seal_entries(until => now(), most => 4)")["sealed"] == 4
        assert till.shown() == before
    routines.call(db, None, "select payments.seal_entries(until => now())")
    till.call("select payments.waive_fee(%s)", till.fee_id())
    assert till.shown() == (SHARE, {"CHF": PRICE})

    # The total is counted in steps, and equals the sum of all movements at each step.
    db.execute("delete from payments.settlement_totals")
    for _round in range(4):
        db.execute("select payments.count_settlements(most => 1)")
        assert till.shown() == (SHARE, {"CHF": PRICE})
    row = db.execute(
        "select payments.revenue(%s, ends_at => now() + interval '1 day') as all", [till.stage.organization_id]
    ).fetchone()
    assert row["all"] == SHARE


def test_dispute_in_another_currency_is_spent_in_that_currency(db):
    till = Till(db)
    dispute_in_another_currency(till)
    assert till.shown() == (SHARE, {"CHF": PRICE, "EUR": -9100})

    till = Till(db)
    disputed_in_another_currency_and_cancelled(till)
    assert dashboard(db, till.booker) == {"CHF": PRICE, "EUR": -9100}
    till.lose_disputes()
    assert till.shown() == (PRICE, {"CHF": PRICE, "EUR": -9100})


def test_views_of_the_earlier_system_show_the_same_money(db):
    till = Till(db)
    card_sale_refunded_in_part(till)
    packages.apply_payment(till, buy(till, pass_buyer := till.stage.customer(), offer(till)))

    rows = db.execute("select customer_id, total_spent_cents from public.customer_dashboard_mv").fetchall()
    assert {row["customer_id"]: row["total_spent_cents"] for row in rows} == {till.booker: 6000, pass_buyer: 20000}
    row = db.execute(
        "select revenue_total_cents from public.org_analytics_mv where organization_id = %s",
        [till.stage.organization_id],
    ).fetchone()
    assert row["revenue_total_cents"] == 5700 + 19000


def posted_kinds():
    """Yield each kind that a routine posts."""
    for path in sorted(ROUTINES.glob("*/*/*.sql")):
        text = re.sub(r"--.*", "", path.read_text())
        if path.parent.name != "ledger" and re.search(r"post_(between_owners|transactions?)\(|'idempotency_key'", text):
            for expression in re.findall(r"(?:\bkind =>|'kind',) ((?:[^,\n(]|\([^)]*\))+),", text):
                kinds = re.findall(r"^'([a-z_]+)'$", expression) or COMPUTED.get(path.stem)
                assert kinds, f"{path.name} computes the kind of a posting, {expression}: add its values to COMPUTED."
                yield from kinds


COMPUTED = {
    "charge_fee": ["no_show_fee", "late_cancellation_fee"],
    "settle_debt": ["debt_paid", "debt_forgiven"],
    "apply_transfer": ["transfer", "transfer_reversal"],
    "grant_money": ["payment_credited", "credits_granted"],
    "settle_at_desk": ["desk_payment", "desk_refund"],
    "add_till_movement": ["till_taking", "till_refund", "till_transfer", "till_difference", "till_deposit"],
}
"""Kinds of the routines that compute them."""


def test_every_kind_of_posting_has_a_group(rolled_back):
    """A new kind needs a line in KINDS, after a decision whether it is revenue."""
    assert sorted(set(posted_kinds()) ^ money_figures.KINDS.keys()) == []
    for kind, group in money_figures.KINDS.items():
        row = rolled_back.execute("select payments.movement_group(%s) as group", [kind]).fetchone()
        assert (kind, row["group"]) == (kind, group)
