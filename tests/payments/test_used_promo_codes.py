"""When a customer may use a promo code again: not after its benefit was consumed, always after none."""

import psycopg
import pytest

from tests.kit import money_invariants
from tests.kit.money_figures import Till
from tests.kit.payments import dashboard_refund
from tests.kit.wallets import PRICE, CreditBookings

GIFT = {"kind": "credits", "amount_cents": 2000, "currency": "CHF"}
LATE = {"cancel_hours_before": 2160}


@pytest.fixture
def till(db):
    till = Till(db)
    yield till
    assert CreditBookings.findings(till) == []
    assert money_invariants.findings(db) == []


@pytest.fixture
def late(db):
    late = Till(db, **LATE, late_refund_percent=50)
    yield late
    assert CreditBookings.findings(late) == []
    assert money_invariants.findings(db) == []


def used(till):
    return till.db.execute("select sum(used)::int as used from payments.promo_codes").fetchone()["used"]


def pay(till, code, cents=PRICE):
    """Book an event of its own by card with a code, and let Stripe report the payment."""
    event_id = till.event(price_cents=cents)
    booking = till.buy_with("card", promo_code=code, event_id=event_id)
    till.apply_payment(booking)
    return booking, event_id


def cancel_event(till, event_id):
    till.call("select events.cancel_event(event_id => %s)", event_id)


ENDS = {
    "cancelled": lambda till, booking, _event_id: till.cancel(booking, till.booker),
    "waived": lambda till, booking, _event_id: till.cancel(booking, waive=True),
    "called off": lambda till, _booking, event_id: cancel_event(till, event_id),
    "at Stripe": lambda till, booking, _event_id: till.apply_payment(
        booking, refunds=[dashboard_refund(1, booking["price_cents"])]
    ),
    "disputed": lambda till, booking, _event_id: (till.dispute(booking, amount_cents=100), till.cancel(booking)),
}


@pytest.mark.parametrize("end", sorted(ENDS))
def test_code_whose_credits_are_spent_and_owed_stays_used(till, end):
    till.create_code("GIFT", **GIFT)
    booking, event_id = pay(till, "GIFT", 100)
    till.buy_with("wallet", event_id=till.event(price_cents=2000))

    ENDS[end](till, booking, event_id)

    assert used(till) == 1
    with pytest.raises(psycopg.Error, match="promo_code_used_up"):
        pay(till, "GIFT")


@pytest.mark.parametrize(("end", "uses"), [("cancelled", 1), ("waived", 1), ("called off", 0)])
def test_code_whose_spent_credits_are_deducted_returns_if_the_organizer_cancels(till, end, uses):
    till.create_code("GIFT", **GIFT)
    booking, event_id = pay(till, "GIFT")
    till.buy_with("wallet", event_id=till.event(price_cents=2000))

    ENDS[end](till, booking, event_id)

    assert used(till) == uses


@pytest.mark.parametrize("end", sorted(ENDS.keys() - {"disputed"}))
def test_code_whose_credits_are_unspent_returns(till, end):
    till.create_code("GIFT", **GIFT)
    booking, event_id = pay(till, "GIFT")

    ENDS[end](till, booking, event_id)

    assert used(till) == 0


def test_code_returns_when_the_fee_of_a_late_cancellation_is_waived(late):
    late.create_code("FREE", kind="percent", percent_bps=10000)
    late.cancel(late.buy_with("none", promo_code="FREE"), late.booker)
    assert used(late) == 1

    for _ in range(2):
        late.call("select payments.waive_fee(fee_id => %s)", late.fee_id())

    assert used(late) == 0


def test_code_stays_used_when_the_fee_of_a_missed_event_is_waived(till):
    till.create_code("TEN", kind="percent", percent_bps=1000)
    booking = till.buy_with("card", promo_code="TEN")
    till.apply_payment(booking)
    till.miss(booking)

    till.call("select payments.waive_fee(fee_id => %s)", till.fee_id())

    assert used(till) == 1


@pytest.mark.parametrize("method", ["card", "wallet", "invoice"])
def test_code_returns_when_staff_refund_the_whole_price(till, method):
    till.create_code("TEN", kind="percent", percent_bps=1000)
    till.give(till.booker, PRICE)
    booking = till.buy_with(method, promo_code="TEN")
    if method == "card":
        till.apply_payment(booking)
    till.refund(booking, 8900)
    assert used(till) == 1

    till.refund(booking)

    assert used(till) == 0
    till.cancel(booking)
    assert used(till) == 0


@pytest.mark.parametrize("where", ["by staff", "at Stripe"])
def test_code_returns_when_the_rest_of_a_late_cancellation_is_refunded(late, where):
    late.create_code("TEN", kind="percent", percent_bps=1000)
    booking, _event_id = pay(late, "TEN")
    late.cancel(booking, late.booker)
    assert used(late) == 1

    if where == "by staff":
        late.refund(booking)
    else:
        late.send_refunds()
        sent = late.db.execute("select id, stripe_refund_id as stripe_id from payments.refunds").fetchone()
        first = {"stripe_id": sent["stripe_id"], "refund_id": str(sent["id"]), "amount_cents": 4500}
        late.apply_payment(booking, refunds=[{**first, "status": "succeeded"}, dashboard_refund(9, 4500)])

    assert used(late) == 0


def spend_beyond_the_price(till):
    """Return the event of a booking for 1.00 that granted 20.00, and the booking that spent them."""
    till.create_code("GIFT", **GIFT)
    _booking, event_id = pay(till, "GIFT", 100)
    return event_id, till.buy_with("wallet", event_id=till.event(price_cents=2000))


@pytest.mark.parametrize(("outcome", "uses"), [("paid", 0), ("forgiven", 1)])
def test_code_returns_when_the_debt_of_a_cancelled_event_is_paid(till, outcome, uses):
    event_id, _other = spend_beyond_the_price(till)
    cancel_event(till, event_id)
    assert used(till) == 1
    debt = till.db.execute("select id from payments.refunds where cause = 'promotion'").fetchone()

    for _ in range(2):
        till.call("select payments.settle_debt(refund_id => %s, outcome => %s)", debt["id"], outcome)

    assert used(till) == uses


def test_code_returns_when_returned_credits_pay_the_debt_of_a_cancelled_event(till):
    event_id, other = spend_beyond_the_price(till)
    cancel_event(till, event_id)
    assert used(till) == 1

    till.cancel(other, till.booker)

    assert used(till) == 0


def test_code_stays_used_when_the_debt_of_a_cancelled_booking_is_paid(till):
    till.create_code("GIFT", **GIFT)
    booking, _event_id = pay(till, "GIFT", 100)
    till.buy_with("wallet", event_id=till.event(price_cents=2000))
    till.cancel(booking, till.booker)
    debt = till.db.execute("select id from payments.refunds where cause = 'promotion'").fetchone()

    till.call("select payments.settle_debt(refund_id => %s, outcome => 'paid')", debt["id"])

    assert used(till) == 1
