"""Disputes: a disputed payment is not refunded too, and a lost dispute counts as the customer's refund."""

import functools

import psycopg
import pytest

from tests.kit import money_invariants, routines
from tests.kit.money_figures import Till
from tests.kit.packages import apply_payment, buy, money, offer, refund
from tests.kit.payments import DISPUTE, PRICE, CardBookings
from tests.kit.wallets import CreditBookings


def disputed(till):
    booking = till.book(customer := till.stage.customer())
    till.apply_payment(booking)
    till.apply_payment(booking, disputes=[{**DISPUTE, "status": "needs_response"}])
    return booking, customer


def refuse_refund(till):
    (claimed,) = till.claim("refunds")
    result = f'[{{"refund_id": "{claimed["refund_id"]}", "error": {{"code": "disputed"}}, "retryable": false}}]'
    routines.call(till.db, None, "select payments.record_refunds(%s::text::jsonb)", [result])
    return claimed["refund_id"]


@pytest.mark.parametrize("destination", ["original", "wallet"])
def test_disputed_payment_is_not_refunded_to_card_or_wallet(db, destination):
    till = CardBookings(db, refund_to="wallet")
    booking, customer = disputed(till)

    till.cancel(booking, customer)
    refund_id = refuse_refund(till)
    with pytest.raises(psycopg.Error) as error:
        query = "select payments.reopen_refund(refund_id => %s, destination => %s)"
        routines.call(db, till.stage.owner, query, [refund_id, destination])

    assert routines.code_of(error.value) == "payment_disputed"
    assert "user credits" not in till.balances()


def test_refund_can_be_reopened_after_a_won_dispute(db):
    till = CardBookings(db)
    booking, customer = disputed(till)
    till.cancel(booking, customer)
    refund_id = refuse_refund(till)

    till.apply_payment(booking, disputes=[{**DISPUTE, "status": "won"}])
    query = "select payments.reopen_refund(refund_id => %s, destination => 'wallet')"
    routines.call(db, till.stage.owner, query, [refund_id])

    assert till.balances() == {"platform clearing": PRICE - 320, "platform fees": 320, "user credits": -PRICE}


def test_staff_cannot_refund_a_disputed_payment(db):
    till = CardBookings(db)
    booking, _ = disputed(till)

    with pytest.raises(psycopg.Error) as error:
        query = "select payments.refund_booking(booking_id => %s, amount_cents => 10, idempotency_key => 'a')"
        routines.call(db, till.stage.owner, query, [booking["id"]])

    assert routines.code_of(error.value) == "payment_disputed"


def lose(till, booking, status="lost", **changes):
    till.apply_payment(booking, disputes=[{**DISPUTE, "status": status, **changes}])


def refunds(till):
    rows = till.db.execute(
        "select status::text, amount_cents::int as cents, destination from payments.refunds order by id"
    ).fetchall()
    return [tuple(row.values()) for row in rows]


LOST = {"platform clearing": -320, "platform fees": 320}


@pytest.mark.parametrize("when", ["before it was sent", "after it was refused", "before the cancellation"])
def test_lost_dispute_of_a_cancelled_booking_counts_as_its_refund(db, when):
    till = CardBookings(db)
    booking, customer = disputed(till)
    if when == "before the cancellation":
        lose(till, booking)
    till.cancel(booking, customer)
    if when == "after it was refused":
        refuse_refund(till)
    for _time in range(2):
        lose(till, booking)

    # The sale and the platform's share are reversed, and the organizer pays only once, through the dispute.
    assert till.balances() == LOST
    assert refunds(till) == [("succeeded", PRICE, "dispute")]
    db.execute("update payments.refunds set available_at = now()")
    assert till.claim("refunds") == []
    told = db.execute("select payload ->> 'destination' as way from public.outbox where topic = 'refund.succeeded'")
    assert told.fetchall() == [{"way": "dispute"}]
    assert till.topics().count("refund.requested") == (when != "before the cancellation")
    assert money_invariants.findings(db) == []


def test_lost_dispute_of_a_confirmed_booking_is_borne_by_the_organizer(db):
    till = CardBookings(db)
    booking, _customer = disputed(till)

    lose(till, booking)

    assert till.balances() == {**LOST, "organization receivable": 500, "platform revenue": -500}
    assert (till.status(booking), refunds(till)) == ("confirmed", [])


def test_late_fee_is_lost_with_the_dispute_except_for_the_platforms_share(db):
    till = CardBookings(db, cancel_hours_before=2160, late_fee_cents=3000)
    booking, customer = disputed(till)
    till.cancel(booking, customer)

    lose(till, booking)

    assert refunds(till) == [("succeeded", 7000, "dispute")]
    assert till.balances() == {**LOST, "organization receivable": 150, "platform revenue": -150}


def test_partial_lost_dispute_leaves_the_remaining_amount_refundable(db):
    till = CardBookings(db)
    booking = till.book(customer := till.stage.customer())
    till.apply_payment(booking)
    lose(till, booking, "needs_response", amount_cents=4000)
    till.cancel(booking, customer)
    refuse_refund(till)

    lose(till, booking, amount_cents=4000)

    assert refunds(till) == [("failed", 6000, "original"), ("succeeded", 4000, "dispute")]
    refund_id = db.execute("select id from payments.refunds where status = 'failed'").fetchone()["id"]
    routines.call(db, till.stage.owner, "select payments.reopen_refund(refund_id => %s)", [refund_id])
    till.send_refunds()
    assert till.balances() == LOST
    assert money_invariants.findings(db) == []


def test_dispute_in_another_currency_covers_the_whole_payment(db):
    till = CardBookings(db)
    booking, customer = disputed(till)
    till.cancel(booking, customer)

    till.apply_payment(
        booking, disputes=[{**DISPUTE, "stripe_id": "dp_2", "amount_cents": 9100, "currency": "EUR", "status": "lost"}]
    )

    assert refunds(till) == [("succeeded", PRICE, "dispute")]


def test_dispute_won_after_a_loss_leaves_the_refund_to_staff(db):
    till = CardBookings(db)
    booking, customer = disputed(till)
    till.cancel(booking, customer)
    lose(till, booking)

    lose(till, booking, "won")

    assert refunds(till) == [("failed", PRICE, "original")]
    assert till.balances() == {"platform clearing": PRICE - 320, "platform fees": 320, "user cash": -PRICE}
    refund_id = db.execute("select id from payments.refunds").fetchone()["id"]
    routines.call(db, till.stage.owner, "select payments.reopen_refund(refund_id => %s)", [refund_id])
    till.send_refunds()
    assert till.balances() == LOST


def test_dispute_won_after_a_partial_loss_tells_staff_that_its_part_is_owed_again(db):
    till = Till(db)
    booking = till.paid_by_card()
    till.dispute(booking, amount_cents=4000)
    till.cancel(booking, till.booker)
    till.send_refunds()
    assert refunds(till) == [("succeeded", 6000, "original"), ("succeeded", 4000, "dispute")]

    for _time in range(2):
        till.dispute(booking, "won", amount_cents=4000)

    assert refunds(till) == [("succeeded", 6000, "original"), ("failed", 4000, "original")]
    told = db.execute("select payload ->> 'id' as id from public.outbox where topic = 'refund.failed'").fetchall()
    [failed] = db.execute("select id::text, status_reason as reason from payments.refunds where status = 'failed'")
    assert told == [{"id": failed["id"]}]
    assert "owed again" in failed["reason"]
    assert till.db.execute("select payments.owed_cents(%s) as cents", [booking["id"]]).fetchone() == {"cents": 0}
    till.call("select payments.reopen_refund(refund_id => %s)", failed["id"])
    till.send_refunds()
    assert till.balances() == LOST
    assert till.findings() == []
    assert money_invariants.findings(db) == []


def test_stale_failed_refund_does_not_reverse_a_lost_dispute(db):
    till = CardBookings(db)
    booking = till.book(customer := till.stage.customer())
    till.apply_payment(booking)
    till.cancel(booking, customer)
    (sent,) = till.send_refunds("pending")
    failed = {
        "stripe_id": f"re_{sent['refund_id']}", "refund_id": str(sent["refund_id"]), "key": sent["idempotency_key"],
        "amount_cents": PRICE, "status": "failed", "failure_reason": "expired_or_canceled_card",
    }  # fmt: skip
    lost = [{**DISPUTE, "status": "lost"}]

    for _time in range(2):
        till.apply_payment(booking, refunds=[failed], disputes=lost)

    assert refunds(till) == [("succeeded", PRICE, "dispute")]
    assert till.balances() == LOST


def test_package_is_refunded_only_after_its_lost_dispute(db):
    desk = CreditBookings(db)
    purchase = buy(desk, desk.customer(), offer(desk))
    apply_payment(desk, purchase, disputes=[{**DISPUTE, "amount_cents": 20000, "status": "needs_response"}])
    with pytest.raises(psycopg.Error) as refused:
        refund(desk, purchase)
    assert routines.code_of(refused.value) == "payment_disputed"

    apply_payment(desk, purchase, disputes=[{**DISPUTE, "amount_cents": 20000, "status": "lost"}])
    refund(desk, purchase)

    assert desk.balances() == {}
    assert db.execute("select status::text, destination from payments.refunds").fetchall() == [
        {"status": "succeeded", "destination": "dispute"}
    ]


@pytest.mark.parametrize(
    "facts",
    [
        "needs_response won lost", "lost won lost", "won needs_response", "won lost", "lost won lost won",
        "needs_response won needs_response won", "needs_response won under_review lost won needs_response lost",
        "won won lost lost won won", "warning_needs_response needs_response warning_closed lost",
    ],
)  # fmt: skip
@pytest.mark.parametrize("thing", ["booking", "package"])
def test_last_state_of_a_dispute_decides_what_is_withdrawn(db, thing, facts):
    till = Till(db)
    if thing == "booking":
        paid, report = till.paid_by_card(), till.apply_payment
    else:
        paid = buy(till, till.booker, money(till, price_cents=PRICE))
        apply_payment(till, paid)
        report = functools.partial(apply_payment, till)
    before = money_invariants.clearing_cents(db)

    for status in facts.split():
        for _time in range(2):
            report(paid, disputes=[{**DISPUTE, "status": status}])
        withdrawn = status in {"needs_response", "under_review", "lost"}
        assert money_invariants.clearing_cents(db) == before - PRICE * withdrawn
        assert money_invariants.findings(db) == []
        assert till.findings() == []


def test_staff_refund_what_a_partial_lost_dispute_left(db):
    till = Till(db)
    booking = till.paid_by_card()
    till.dispute(booking, amount_cents=4000)
    with pytest.raises(psycopg.Error) as refused:
        till.refund(booking, 6001)
    assert routines.code_of(refused.value) == "refund_exceeds_payment"

    till.refund(booking, 2000)
    till.refund(booking)
    with pytest.raises(psycopg.Error) as refused:
        till.refund(booking)
    assert routines.code_of(refused.value) == "nothing_to_refund"
    for _time in range(2):
        till.dispute(booking, amount_cents=4000)

    assert refunds(till) == [
        ("succeeded", 4000, "dispute"), ("created", 2000, "original"), ("created", 4000, "original")
    ]  # fmt: skip
    till.send_refunds()
    assert till.balances() == LOST
    assert till.findings() == []
    assert money_invariants.findings(db) == []


def test_partial_lost_dispute_leaves_the_rest_refundable_to_the_wallet(db):
    till = Till(db)
    booking = till.paid_by_card()
    till.dispute(booking, amount_cents=4000)

    till.refund(booking, destination="wallet")

    assert refunds(till) == [("succeeded", 4000, "dispute"), ("succeeded", 6000, "wallet")]
    assert money_invariants.findings(db) == []


@pytest.mark.parametrize("cents", [None, 1])
def test_nothing_is_refundable_after_a_whole_lost_dispute(db, cents):
    till = Till(db)
    booking = till.paid_by_card()
    till.dispute(booking)

    with pytest.raises(psycopg.Error) as refused:
        till.refund(booking, cents)

    assert routines.code_of(refused.value) == ("refund_exceeds_payment" if cents else "nothing_to_refund")
    assert refunds(till) == []


def test_staff_refund_waits_while_one_of_two_disputes_is_open(db):
    till = Till(db)
    booking = till.paid_by_card()
    lost = {**DISPUTE, "amount_cents": 4000, "status": "lost"}
    till.apply_payment(booking, disputes=[lost, {**lost, "stripe_id": "dp_2", "status": "needs_response"}])
    with pytest.raises(psycopg.Error) as refused:
        till.refund(booking, 1000)
    assert routines.code_of(refused.value) == "payment_disputed"

    till.apply_payment(booking, disputes=[lost, {**lost, "stripe_id": "dp_2", "status": "won"}])
    till.refund(booking)

    assert refunds(till) == [("succeeded", 4000, "dispute"), ("created", 6000, "original")]
    assert money_invariants.findings(db) == []
