"""Wallets: a customer's money at an organization, in lots with a source and an expiry."""

import json

import psycopg
import pytest

from tests.kit import routines
from tests.kit.wallets import PRICE, CreditBookings


@pytest.fixture
def desk(db):
    desk = CreditBookings(db)
    yield desk
    assert desk.findings() == []


def test_wallet_pays_for_a_booking_at_once(desk):
    """In the earlier system, wallet bookings always failed and locked the customer out."""
    customer = desk.customer()
    desk.give(customer, 15000)

    booking = desk.book(customer, "wallet")

    assert (booking["status"], booking["price_cents"]) == ("confirmed", PRICE)
    assert desk.lots(customer) == [(15000, 5000)]
    assert desk.balances() == {
        "organization receivable": 15000 - 9500,
        "platform revenue": -500,
        "user credits": -5000,
    }


def test_wallet_without_enough_money_is_refused_and_a_card_still_works(desk):
    customer = desk.customer()
    desk.give(customer, PRICE - 1)

    assert desk.refusal(customer, "wallet") == "insufficient_funds"
    assert desk.lots(customer) == [(PRICE - 1, PRICE - 1)]
    assert desk.book(customer, "card")["status"] == "pending_payment"


def test_wallet_lots_are_used_in_order_of_expiry(desk):
    customer = desk.customer()
    desk.give(customer, 4000)
    desk.give(customer, 4000, "30 days")
    desk.give(customer, 4000, "20 days")

    desk.book(customer, "wallet")

    assert desk.lots(customer) == [(4000, 2000), (4000, 0), (4000, 0)]


def test_cancellation_returns_money_to_its_lots_once(desk):
    customer = desk.customer()
    desk.give(customer, 6000)
    desk.give(customer, 6000, "30 days")
    booking = desk.book(customer, "wallet")

    desk.cancel(booking, customer)
    desk.cancel(booking, customer)

    assert desk.lots(customer) == [(6000, 6000), (6000, 6000)]
    assert desk.balances() == {"organization receivable": 12000, "user credits": -12000}


def test_late_fee_is_kept_from_the_lot_that_expires_first(db):
    desk = CreditBookings(db, cancel_hours_before=2160, late_fee_cents=3000)
    customer = desk.customer()
    desk.give(customer, 6000)
    desk.give(customer, 6000, "30 days")
    booking = desk.book(customer, "wallet")

    desk.cancel(booking, customer)

    assert desk.lots(customer) == [(6000, 6000), (6000, 3000)]
    assert desk.findings() == []


def test_expired_money_cannot_be_spent_even_before_the_sweep(desk):
    customer = desk.customer()
    lot = desk.give(customer, PRICE, "1 day")
    desk.set_expiry(lot, "-1 second")

    assert desk.refusal(customer, "wallet") == "insufficient_funds"


def test_lapsed_money_goes_to_the_organizer_once(desk):
    customer = desk.customer()
    desk.give(customer, 3000, "1 day")
    desk.give(customer, 2000)

    assert desk.expire("2 days") == {"lots": 1, "lapsed_cents": 3000, "more": False}
    assert desk.expire("2 days") == {"lots": 0, "lapsed_cents": 0, "more": False}

    assert desk.lots(customer) == [(3000, 0), (2000, 2000)]
    assert desk.balances() == {"organization receivable": 2000, "user credits": -2000}


def test_many_lots_lapse_in_bounded_batches(desk):
    for customer in desk.stage.customers(5):
        desk.give(customer, 100, "1 day")

    done = [routines.call(desk.db, None, "select payments.expire_credits(now() + '2 days', 2)") for _ in range(4)]

    assert [piece["lots"] for piece in done] == [2, 2, 1, 0]
    assert [piece["more"] for piece in done] == [True, True, False, False]
    assert desk.balances() == {}


def test_money_returned_to_an_expired_lot_lapses_with_it(desk):
    customer = desk.customer()
    lot = desk.give(customer, PRICE, "1 day")
    booking = desk.book(customer, "wallet")
    desk.set_expiry(lot, "-1 second")

    desk.cancel(booking, customer)

    assert desk.lots(customer) == [(PRICE, PRICE)]
    assert desk.refusal(customer, "wallet") == "insufficient_funds"
    assert desk.expire()["lapsed_cents"] == PRICE
    assert desk.balances() == {}


def test_lapsed_lot_lapses_again_after_a_later_return(desk):
    customer = desk.customer()
    lot = desk.give(customer, PRICE + 500, "1 day")
    booking = desk.book(customer, "wallet")
    desk.set_expiry(lot, "-1 second")
    desk.expire()

    desk.cancel(booking, customer)

    assert desk.expire()["lapsed_cents"] == PRICE
    assert desk.balances() == {}


def test_event_cancelled_by_its_organizer_extends_expired_money_by_thirty_days(desk):
    customer = desk.customer()
    lot = desk.give(customer, PRICE, "1 day")
    desk.book(customer, "wallet")
    desk.set_expiry(lot, "-1 second")

    desk.cancel_event()

    assert desk.expire("29 days")["lots"] == 0
    assert desk.expire("31 days")["lots"] == 1


def test_wallet_refund_creates_a_lot_without_expiry(db):
    desk = CreditBookings(db, refund_to="wallet")
    customer = desk.customer()
    booking = desk.book(customer, "card")
    _pay(desk, booking)

    desk.cancel(booking, customer)

    assert desk.lots(customer) == [(PRICE, PRICE)]
    assert desk.expire("3650 days")["lots"] == 0
    assert desk.findings() == []


def test_failed_refund_reopened_to_the_wallet_creates_a_lot(desk):
    customer = desk.customer()
    booking = desk.book(customer, "card")
    _pay(desk, booking)
    desk.cancel(booking, customer)
    (refund,) = desk.db.execute("update payments.refunds set status = 'failed' returning id").fetchall()

    routines.call(
        desk.db, desk.stage.owner, "select payments.reopen_refund(%s, destination => 'wallet')", [refund["id"]]
    )

    assert desk.lots(customer) == [(PRICE, PRICE)]


def test_wallet_of_another_organization_does_not_pay(desk):
    other, customer = CreditBookings(desk.db), desk.customer()
    other.stage.came(customer)
    other.give(customer, PRICE)

    assert desk.refusal(customer, "wallet") == "insufficient_funds"


def test_wallet_in_another_currency_does_not_pay(desk):
    customer = desk.customer()
    desk.give(customer, PRICE, currency="EUR")

    assert desk.refusal(customer, "wallet") == "insufficient_funds"


def test_repeated_grant_is_given_once(desk):
    customer = desk.customer()

    first = desk.give(customer, 500, idempotency_key="again")
    second = desk.give(customer, 500, idempotency_key="again")

    assert first == second
    assert desk.lots(customer) == [(500, 500)]


@pytest.mark.parametrize("role", ["viewer", "editor", "instructor", "front_desk"])
def test_other_roles_cannot_grant_credits(desk, role):
    member = desk.stage.member(role)

    with pytest.raises(psycopg.Error) as refused:
        routines.call(
            desk.db,
            member,
            "select payments.grant_credits(%s, %s, 'wallet', 100, 'tap', 'CHF')",
            [desk.stage.organization_id, member],
        )

    assert routines.code_of(refused.value) == "forbidden"


def test_lot_changed_by_hand_is_found(db):
    desk = CreditBookings(db)
    desk.give(desk.customer(), 500)
    db.execute("update payments.credit_lots set remaining = 400")

    assert sorted(desk.findings()) == ["lot_differs_from_its_uses", "wallet_differs_from_its_lots"]


def test_no_show_fee_is_charged_once_and_returned_on_correction(desk):
    customer = desk.customer()
    desk.give(customer, PRICE + 1000)
    booking = desk.book(customer, "wallet")
    _start_event(desk)

    _record(desk, booking, attended=False)
    _record(desk, booking, attended=False)
    assert desk.lots(customer) == [(PRICE + 1000, 100)]
    assert desk.balances()["platform revenue"] == -500 - 45

    _record(desk, booking, attended=True)
    assert desk.lots(customer) == [(PRICE + 1000, 1000)]
    assert desk.balances()["platform revenue"] == -500

    _record(desk, booking, attended=False)
    assert desk.lots(customer) == [(PRICE + 1000, 100)]


def test_no_show_fee_beyond_the_wallet_is_owed_in_full(desk):
    customer = desk.customer()
    desk.give(customer, PRICE + 899)
    booking = desk.book(customer, "wallet")
    _start_event(desk)

    _record(desk, booking, attended=False)

    assert desk.lots(customer) == [(PRICE + 899, 899)]
    assert desk.balances()["user payable"] == 900


def test_no_show_fee_waived_later_is_no_longer_owed(desk):
    customer = desk.customer()
    desk.give(customer, PRICE)
    booking = desk.book(customer, "wallet")
    _start_event(desk)
    _record(desk, booking, attended=False)

    answer = _record(desk, booking, attended=False, waive=True)

    assert (answer["status"], answer["fee_cents"]) == ("no_show", 0)
    assert "user payable" not in desk.balances()


def _start_event(desk):
    desk.db.execute(
        "update events.events set starts_at = now() - interval '10 minutes', ends_at = now() + interval '50 minutes'"
    )


def _record(desk, booking, attended, waive=False):
    query = "select events.record_attendance(booking_id => %s, attended => %s, waive => %s)"
    return routines.call(desk.db, desk.stage.owner, query, [booking["id"], attended, waive])


def _pay(desk, booking):
    facts = {
        "stripe_id": f"pi_{booking['id']}",
        "intent_id": booking["id"],
        "status": "succeeded",
        "amount_cents": booking["price_cents"],
        "received_cents": booking["price_cents"],
        "currency": "chf",
        "observed_at": "2031-01-01T00:00:00+00:00",
    }
    routines.call(desk.db, None, "select payments.apply_payment(%s::jsonb)", [json.dumps(facts)])
