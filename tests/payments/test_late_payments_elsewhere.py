"""A payment that succeeds after its booking was paid by another method: its refunds and disputes spare the booking."""

import json

import pytest

from tests.kit import money_invariants, routines
from tests.kit.money_figures import Till
from tests.kit.payments import DISPUTE, PRICE, dashboard_refund

METHODS = ["wallet", "invoice", "pass"]
FEES = {"platform clearing": -320, "platform fees": 320}


@pytest.fixture
def till(db):
    till = Till(db)
    till.give(till.booker, PRICE)
    till.give_pass(till.booker, 1)
    yield till
    assert money_invariants.findings(db) == []
    assert till.findings() == []


def paid_twice(till, method, **facts):
    """Book by card, pay by another method, and let the card payment succeed after that."""
    booking = till.buy_with("card")
    till.apply_payment(booking, "requires_payment_method")
    query = "select events.change_payment_method(booking_id => %s, payment_method => %s)"
    routines.call(till.db, till.booker, query, [booking["id"], method])
    till.before = stands(till, booking), till.balances()
    till.apply_payment(booking, **facts)
    return booking


def stands(till, booking):
    """Return what the other method paid: the booking's state, its sale, credits and documents."""
    queries = (
        "select status::text, payment_method::text, price_cents from events.bookings",
        "select method::text, amount_cents, refunded_cents from payments.sales",
        "select kind::text, amount, remaining, frozen_at from payments.credit_lots where refund_id is null order by id",
        "select kind::text, gross_cents from payments.invoices order by id",
    )
    return [[tuple(row.values()) for row in till.db.execute(query).fetchall()] for query in queries]


def change_of_balances(till):
    """Return the balances that the card payment changed."""
    before, after = till.before[1], till.balances()
    changes = {name: after.get(name, 0) - before.get(name, 0) for name in sorted({*before, *after})}
    return {name: cents for name, cents in changes.items() if cents}


def refunds(till):
    query = (
        "select cause, amount_cents::int as cents, destination, status::text, beyond from payments.refunds order by id"
    )
    return [tuple(row.values()) for row in till.db.execute(query).fetchall()]


def refuse_refund(till):
    (claimed,) = till.claim("refunds")
    result = {"refund_id": str(claimed["refund_id"]), "error": {"message": "already refunded"}, "retryable": False}
    routines.call(till.db, None, "select payments.record_refunds(%s::text::jsonb)", [json.dumps([result])])


def reopen(till, destination="wallet"):
    row = till.db.execute("select id from payments.refunds where status = 'failed' and not beyond").fetchone()
    till.call("select payments.reopen_refund(%s, %s)", row["id"], destination)


def sent_refund(till, status="succeeded"):
    (claimed,) = till.send_refunds(status)
    refund_id = str(claimed["refund_id"])
    return {"stripe_id": f"re_{refund_id}", "refund_id": refund_id, "amount_cents": PRICE, "status": status}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("when", ["before it is sent", "with the success", "after it was refused", "after it failed"])
def test_dashboard_refund_completes_the_refund_of_the_late_payment(till, method, when):
    made = [dashboard_refund(1, PRICE)]
    booking = paid_twice(till, method, refunds=made if when == "with the success" else [])
    if when == "after it was refused":
        refuse_refund(till)
    if when == "after it failed":
        made = [sent_refund(till, "failed"), *made]

    for _time in range(3):
        till.apply_payment(booking, refunds=made)

    assert stands(till, booking) == till.before[0]
    assert refunds(till) == [("too_late", PRICE, "original", "succeeded", False)]
    assert change_of_balances(till) == FEES


@pytest.mark.parametrize("method", METHODS)
def test_partial_dashboard_refund_leaves_the_rest_of_the_late_payment(till, method):
    booking = paid_twice(till, method)
    refuse_refund(till)

    for _time in range(3):
        till.apply_payment(booking, refunds=[dashboard_refund(1, 4000)])
    assert sorted((cents, status) for _cause, cents, _to, status, _beyond in refunds(till)) == [
        (4000, "succeeded"), (6000, "failed")
    ]  # fmt: skip
    reopen(till)

    assert stands(till, booking) == till.before[0]
    assert change_of_balances(till) == {"platform clearing": PRICE - 4320, "platform fees": 320, "user credits": -6000}


@pytest.mark.parametrize("method", METHODS)
def test_second_refund_of_the_late_payment_is_a_debt(till, method):
    booking = paid_twice(till, method)
    own = sent_refund(till)

    for _time in range(2):
        till.apply_payment(booking, refunds=[own, dashboard_refund(1, PRICE)])

    assert stands(till, booking)[:2] == till.before[0][:2]
    assert refunds(till)[1] == ("stripe:re_1:beyond", PRICE, "original", "succeeded", True)
    assert change_of_balances(till) == {"platform clearing": -PRICE - 320, "platform fees": 320, "user cash": PRICE}


@pytest.mark.parametrize("method", METHODS)
def test_lost_dispute_of_a_refunded_late_payment_is_a_debt(till, method):
    booking = paid_twice(till, method)
    own = sent_refund(till)

    for status in ("needs_response", "lost", "lost"):
        till.apply_payment(booking, refunds=[own], disputes=[{**DISPUTE, "status": status}])

    assert stands(till, booking)[:2] == till.before[0][:2]
    assert refunds(till)[1:] == [("dispute:beyond:0", PRICE, "dispute", "succeeded", True)]
    assert change_of_balances(till) == {"platform clearing": -PRICE - 320, "platform fees": 320, "user cash": PRICE}


@pytest.mark.parametrize("method", METHODS)
def test_lost_dispute_completes_the_refund_of_the_late_payment(till, method):
    booking = paid_twice(till, method)

    for status in ("needs_response", "lost", "lost"):
        till.apply_payment(booking, disputes=[{**DISPUTE, "status": status}])

    assert stands(till, booking) == till.before[0]
    assert refunds(till) == [("too_late", PRICE, "dispute", "succeeded", False)]
    assert change_of_balances(till) == FEES


def test_open_dispute_of_the_late_payment_does_not_block_refunds_of_the_sale(till):
    booking = paid_twice(till, "wallet", disputes=[{**DISPUTE, "status": "needs_response"}])

    till.refund(booking, 4000)

    assert ("wallet", PRICE, 4000) in stands(till, booking)[1]


@pytest.mark.parametrize(("status", "sent"), [("needs_response", False), ("lost", False), ("lost", True)])
def test_dispute_of_the_late_payment_spares_the_promo_credits_of_the_sale(till, status, sent):
    till.create_code("GIFT", kind="credits", amount_cents=2000, currency="CHF")
    till.give(till.booker, PRICE)
    booking = till.buy_with("card", promo_code="GIFT")
    till.apply_payment(booking, "requires_payment_method")
    query = "select events.change_payment_method(booking_id => %s, payment_method => 'wallet')"
    routines.call(till.db, till.booker, query, [booking["id"]])

    till.apply_payment(booking)
    own = [sent_refund(till)] if sent else []
    till.apply_payment(booking, refunds=own, disputes=[{**DISPUTE, "status": status}])

    # They wait while the customer owes money that was returned twice.
    lots = till.db.execute(
        "select remaining, frozen_at is not null as frozen from payments.credit_lots where booking_id is not null"
    )
    assert [tuple(row.values()) for row in lots.fetchall()] == [(2000, sent)]


def test_late_payment_that_returns_to_the_wallet_returns_no_credits_of_the_sale(till):
    booking = paid_twice(till, "wallet")
    refuse_refund(till)

    reopen(till)

    assert stands(till, booking) == till.before[0]
    till.cancel(booking, till.booker)
    query = "select remaining from payments.credit_lots where source in ('grant', 'refund') and kind = 'wallet'"
    assert [row["remaining"] for row in till.db.execute(query).fetchall()] == [PRICE, PRICE]
