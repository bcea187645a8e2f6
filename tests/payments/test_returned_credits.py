"""Credits that return to a lot which has expired, or expires soon, become usable without prolonging its rest."""

import pytest

from tests.kit import money_invariants
from tests.kit.money_figures import Till
from tests.kit.packages import apply_payment, buy, money, offer, refund
from tests.kit.payments import DISPUTE
from tests.kit.wallets import PRICE

REST = 6000
DAYS_LEFT = {"it has expired": "-1 minute", "it expires soon": "3 days"}


@pytest.fixture
def till(db):
    till = Till(db)
    yield till
    assert till.findings() == []
    assert money_invariants.findings(db) == []


def cancel_as_organizer(till):
    till.call("select events.cancel_event(event_id => %s)", till.event_id)


def set_expiry(till, when):
    till.db.execute("update payments.credit_lots set expires_at = now() + %s::interval", [when])


def live(till, days):
    """Return the amounts that are usable after some days, without those that were used meanwhile."""
    query = """
        select coalesce(sum(remaining), 0)::int as live from payments.credit_lots
        where expires_at > now() + make_interval(days => %s)
    """
    return till.db.execute(query, [days]).fetchone()["live"]


def pay_with_wallet(till):
    till.give(till.booker, PRICE + REST, expires_in="1 hour")
    till.buy_with("wallet")
    return PRICE, REST, cancel_as_organizer


def pay_with_pass(till):
    till.give_pass(till.booker, 10, expires_in="1 hour")
    till.buy_with("pass", seats=2)
    return 2, 8, cancel_as_organizer


def pay_with_package(till):
    apply_payment(till, buy(till, till.booker, money(till, price_cents=PRICE)))
    till.event_id = till.event(price_cents=4000)
    till.buy_with("wallet")
    return 4000, PRICE - 4000 + 2000, cancel_as_organizer


def owe_a_fee(till):
    till.give(till.booker, 9000, expires_in="1 hour")
    till.miss(till.paid_by_card())
    left = live(till, 0)
    return 9000 - left, left, lambda till: till.call("select payments.waive_fee(fee_id => %s)", till.fee_id())


def correct_the_attendance(till):
    returned, rest, _waive = owe_a_fee(till)
    query = "select events.record_attendance(booking_id => %s, attended => true)"
    booking_id = till.db.execute("select booking_id from payments.fees").fetchone()["booking_id"]
    return returned, rest, lambda till: till.call(query, booking_id)


@pytest.mark.parametrize("use", [pay_with_wallet, pay_with_pass, pay_with_package, owe_a_fee, correct_the_attendance])
@pytest.mark.parametrize("when", sorted(DAYS_LEFT))
def test_returned_credits_are_usable_for_thirty_days_and_their_rest_is_not(till, use, when):
    returned, rest, give_back = use(till)
    set_expiry(till, DAYS_LEFT[when])

    give_back(till)

    assert live(till, 0) == (returned if when == "it has expired" else returned + rest)
    assert live(till, 29) == returned
    till.expire("4 days")
    assert till.findings() == []
    assert live(till, 0) == returned
    till.expire("31 days")
    assert live(till, 0) == 0


def test_credits_that_return_twice_are_prolonged_each(till):
    till.give(till.booker, 2 * PRICE, expires_in="1 hour")
    till.buy_with("wallet")
    other = till.event()
    till.buy_with("wallet", event_id=other)
    set_expiry(till, "-1 minute")
    cancel_as_organizer(till)
    set_expiry(till, "10 days")

    till.call("select events.cancel_event(event_id => %s)", other)

    assert (live(till, 0), live(till, 29)) == (2 * PRICE, PRICE)


def test_returned_credits_of_a_package_can_be_refunded(till):
    purchase = buy(till, till.booker, money(till, price_cents=PRICE, bonus=0))
    apply_payment(till, purchase)
    event_id = till.event(price_cents=4000)
    till.buy_with("wallet", event_id=event_id)
    set_expiry(till, "3 days")
    till.call("select events.cancel_event(event_id => %s)", event_id)

    refund(till, purchase)

    assert live(till, 0) == 0
    query = "select amount_cents::int as cents from payments.refunds where purchase_id is not null"
    assert till.db.execute(query).fetchall() == [{"cents": PRICE}]


def test_units_that_return_to_a_lost_pass_reduce_the_debt(till):
    purchase = buy(till, till.booker, offer(till))
    apply_payment(till, purchase)
    till.buy_with("pass")
    set_expiry(till, "3 days")
    dispute = {**DISPUTE, "amount_cents": purchase["price_cents"], "status": "needs_response"}
    apply_payment(till, purchase, disputes=[dispute])
    cancel_as_organizer(till)
    assert live(till, 29) == 1
    assert till.db.execute("select count(*)::int as n from payments.credits").fetchone() == {"n": 0}

    apply_payment(till, purchase, disputes=[{**dispute, "status": "lost"}])

    assert live(till, 0) == 0
    debts = "select payments.refund_debt_status(r) as debt from payments.refunds as r where r.beyond"
    assert till.db.execute(debts).fetchall() == []
