"""Payments of bookings in the database, which receives Stripe's facts in any order."""

from uuid import UUID, uuid4

import psycopg
import pytest

from tests.kit import routines
from tests.kit.payments import PRICE, SOLD, CardBookings


@pytest.fixture
def till(db):
    return CardBookings(db)


def test_card_booking_holds_its_seat_until_it_is_paid(till):
    booking = till.book(till.stage.customer())

    assert (booking["status"], booking["price_cents"]) == ("pending_payment", PRICE)
    assert till.seats() == {"taken": 0, "held": 1}
    intent = till.db.execute("select status, amount_cents, currency from payments.intents").fetchone()
    assert intent == {"status": "created", "amount_cents": PRICE, "currency": "CHF"}
    assert till.balances() == {}
    assert till.topics() == []


def test_payment_confirms_the_booking_and_is_split(till):
    booking = till.book(till.stage.customer())

    answer = till.apply_payment(booking)

    assert (answer["status"], answer["did"]) == ("succeeded", ["confirmed"])
    assert till.status(booking) == "confirmed"
    assert till.seats() == {"taken": 1, "held": 0}
    assert till.balances() == SOLD
    assert till.topics() == ["booking.confirmed"]


def test_repeated_facts_change_nothing(till):
    booking = till.book(till.stage.customer())
    facts = till.facts(booking)
    till.apply(facts)
    before = till.balances()

    again = till.apply(facts)

    assert again["did"] == []
    assert till.balances() == before
    assert till.topics() == ["booking.confirmed"]


def test_declined_first_attempt_keeps_the_seat(till):
    booking = till.book(till.stage.customer())

    till.apply_payment(booking, "requires_payment_method", error={"code": "card_declined"})
    assert till.status(booking) == "pending_payment"
    assert till.seats() == {"taken": 0, "held": 1}
    till.apply_payment(booking)

    assert till.status(booking) == "confirmed"


def test_stale_facts_change_nothing(till):
    booking = till.book(till.stage.customer())
    old = till.facts(booking, "requires_payment_method", error={"code": "card_declined"})
    till.apply_payment(booking)

    answer = till.apply(old)

    assert (answer["stale"], answer["status"]) == (True, "succeeded")
    assert till.status(booking) == "confirmed"


def test_abandoned_payment_frees_its_seat_and_allows_another_attempt(till):
    customer = till.stage.customer()
    booking = till.book(customer)
    till.apply_payment(booking, "requires_payment_method")

    routines.call(till.db, None, "select events.expire_holds(at => now() + interval '16 minutes')")

    assert till.status(booking) == "expired"
    assert till.seats() == {"taken": 0, "held": 0}
    assert [(row["intent_id"], row["action"]) for row in till.claim("intents")] == [(UUID(booking["id"]), "cancel")]
    # The pause is as long as the hold was: see tests/booking/test_hold_limits.py.
    till.db.execute(
        "update events.holds set created_at = created_at - interval '1 hour', ended_at = now() - interval '1 hour'"
    )
    assert till.book(customer, key="again")["status"] == "pending_payment"


def test_seat_of_a_cancelled_payment_is_offered_to_the_waitlist_at_once(db):
    till = CardBookings(db, capacity=1)
    booking, waiting = till.book(till.stage.customer()), till.stage.customer()
    routines.call(db, waiting, "select events.join_waitlist(event_id => %s)", [till.event_id])

    assert till.apply_payment(booking, "canceled")["did"] == ["abandoned"]

    entry = routines.call(db, waiting, "select events.waitlist_place(event_id => %s)", [till.event_id])
    assert (till.status(booking), entry["status"]) == ("expired", "offered")
    assert till.seats() == {"taken": 0, "held": 1}


def test_late_payment_takes_a_free_seat(till):
    booking = till.book(till.stage.customer())
    routines.call(till.db, None, "select events.expire_holds(at => now() + interval '16 minutes')")

    till.apply_payment(booking)

    assert till.status(booking) == "confirmed"
    assert till.seats() == {"taken": 1, "held": 0}
    assert till.balances() == SOLD


def test_late_payment_does_not_bypass_the_waitlist(db):
    till = CardBookings(db, capacity=2)
    late, waiting = till.book(till.stage.customer()), till.stage.customer()
    till.apply_payment(till.book(till.stage.customer()))
    routines.call(db, waiting, "select events.join_waitlist(event_id => %s, seats => 2)", [till.event_id])
    routines.call(db, None, "select events.expire_holds(at => now() + interval '16 minutes')")
    assert till.seats() == {"taken": 1, "held": 0}

    assert till.apply_payment(late)["did"] == ["returned"]

    assert till.status(late) == "expired"
    assert till.seats() == {"taken": 1, "held": 0}


def test_late_payment_without_a_free_seat_is_refunded_with_a_message(db):
    till = CardBookings(db, capacity=1)
    late = till.book(till.stage.customer())
    routines.call(db, None, "select events.expire_holds(at => now() + interval '16 minutes')")
    till.apply_payment(till.book(till.stage.customer()))

    assert till.apply_payment(late)["did"] == ["returned"]
    till.send_refunds()

    assert till.status(late) == "expired"
    assert till.seats() == {"taken": 1, "held": 0}
    assert till.topics()[-2:] == ["payment.returned", "refund.succeeded"]
    assert till.balances() == {**SOLD, "platform clearing": PRICE - 640, "platform fees": 640}


def test_payment_of_a_cancelled_booking_is_refunded(till):
    customer = till.stage.customer()
    booking = till.book(customer)
    till.cancel(booking, customer)

    assert till.apply_payment(booking)["did"] == ["returned"]
    assert [row["amount_cents"] for row in till.send_refunds()] == [PRICE]
    assert "organization receivable" not in till.balances()


def test_cancellation_in_time_refunds_the_price_once(till):
    customer = till.stage.customer()
    booking = till.book(customer)
    till.apply_payment(booking)

    till.cancel(booking, customer)
    till.cancel(booking, customer)

    assert [row["amount_cents"] for row in till.send_refunds()] == [PRICE]
    assert till.claim("refunds") == []
    assert till.balances() == {"platform clearing": -320, "platform fees": 320}
    assert till.topics() == ["booking.confirmed", "refund.requested", "booking.cancelled", "refund.succeeded"]


def test_late_cancellation_keeps_the_fee_of_the_booked_policy(db):
    till = CardBookings(db, cancel_hours_before=2160, late_fee_cents=3000)
    customer = till.stage.customer()
    booking = till.book(customer)
    till.apply_payment(booking)
    db.execute("update events.events set policy = '{}'")

    till.cancel(booking, customer)

    assert [row["amount_cents"] for row in till.send_refunds()] == [7000]
    assert till.balances() == {
        "platform clearing": 3000 - 320,
        "platform fees": 320,
        "organization receivable": -2850,
        "platform revenue": -150,
    }


def test_refund_goes_to_the_wallet_if_the_policy_says_so(db):
    till = CardBookings(db, refund_to="wallet")
    customer = till.stage.customer()
    booking = till.book(customer)
    till.apply_payment(booking)

    till.cancel(booking, customer)

    assert till.claim("refunds") == []
    assert till.balances()["user credits"] == -PRICE
    assert till.book(customer, "wallet", key="again")["status"] == "confirmed"
    assert "user credits" not in till.balances()


def test_wallet_booking_without_funds_is_refused(till):
    customer = till.stage.customer()

    with pytest.raises(psycopg.Error) as refused:
        till.book(customer, "wallet")

    assert routines.code_of(refused.value) == "insufficient_funds"
    assert till.seats() == {"taken": 0, "held": 0}
    assert till.topics() == []


def test_booking_can_be_made_again_after_a_refused_payment(till):
    customer = till.stage.customer()
    with pytest.raises(psycopg.Error):
        till.book(customer, "wallet")

    assert till.book(customer, "card")["status"] == "pending_payment"


def test_cancelled_event_refunds_every_payment_in_full(db):
    till = CardBookings(db, capacity=50, cancel_hours_before=2160, late_fee_cents=3000)
    bookings = [till.book(customer) for customer in till.stage.customers(12)]
    for booking in bookings[:-1]:
        till.apply_payment(booking)

    routines.call(db, till.stage.owner, "select events.cancel_event(event_id => %s)", [till.event_id])

    assert [row["amount_cents"] for row in till.send_refunds()] == [PRICE] * 11
    assert till.balances() == {"platform clearing": -11 * 320, "platform fees": 11 * 320}
    assert [row["action"] for row in till.claim("intents")] == ["create"]


def test_failed_refund_is_owed_again_and_can_be_resent(till):
    customer = till.stage.customer()
    booking = till.book(customer)
    till.apply_payment(booking)
    till.cancel(booking, customer)
    (sent,) = till.send_refunds()
    refund = {"stripe_id": f"re_{sent['refund_id']}", "refund_id": str(sent["refund_id"]), "amount_cents": PRICE}

    till.apply_payment(booking, refunds=[{**refund, "status": "failed", "failure_reason": "lost_or_stolen_card"}])

    assert till.balances() == {"platform clearing": PRICE - 320, "platform fees": 320, "user cash": -PRICE}
    assert till.topics()[-1] == "refund.failed"
    routines.call(till.db, till.stage.owner, "select payments.reopen_refund(refund_id => %s)", [sent["refund_id"]])
    (again,) = till.send_refunds()
    assert again["idempotency_key"] != sent["idempotency_key"]
    assert till.balances() == {"platform clearing": -320, "platform fees": 320}


def test_cumulative_dashboard_refunds_count_once_each(till):
    booking = till.book(till.stage.customer())
    till.apply_payment(booking)
    first = {"stripe_id": "re_1", "refund_id": None, "amount_cents": 3333, "status": "succeeded"}
    second = {"stripe_id": "re_2", "refund_id": None, "amount_cents": PRICE - 3333, "status": "succeeded"}

    till.apply_payment(booking, refunds=[first])
    assert till.balances()["platform revenue"] == -(500 - 166)
    assert till.status(booking) == "confirmed"
    till.apply_payment(booking, refunds=[first, second])
    till.apply_payment(booking, refunds=[first, second])

    assert till.status(booking) == "refunded"
    assert till.seats() == {"taken": 0, "held": 0}
    assert till.balances() == {"platform clearing": -320, "platform fees": 320}


def test_seat_of_a_dashboard_refund_is_offered_to_the_waitlist_at_once(db):
    till = CardBookings(db, capacity=1)
    booking, waiting = till.book(till.stage.customer()), till.stage.customer()
    till.apply_payment(booking)
    routines.call(db, waiting, "select events.join_waitlist(event_id => %s)", [till.event_id])

    till.apply_payment(
        booking, refunds=[{"stripe_id": "re_1", "refund_id": None, "amount_cents": PRICE, "status": "succeeded"}]
    )

    entry = routines.call(db, waiting, "select events.waitlist_place(event_id => %s)", [till.event_id])
    assert (till.status(booking), entry["status"]) == ("refunded", "offered")


def test_dispute_debits_the_organizer_until_it_is_won(till):
    booking = till.book(till.stage.customer())
    till.apply_payment(booking)
    dispute = {"stripe_id": "dp_1", "amount_cents": PRICE, "reason": "fraudulent"}

    till.apply_payment(booking, disputes=[{**dispute, "status": "needs_response"}])
    assert till.balances() == {**SOLD, "platform clearing": -320, "organization receivable": 500}

    till.apply_payment(booking, disputes=[{**dispute, "status": "won"}])
    assert till.balances() == SOLD


def test_payment_of_another_amount_is_refused(till):
    booking = till.book(till.stage.customer())

    with pytest.raises(psycopg.Error) as refused:
        till.apply_payment(booking, amount_cents=1)

    assert routines.code_of(refused.value) == "payment_mismatch"
    assert till.status(booking) == "pending_payment"


def test_facts_of_an_unknown_payment_are_not_found(till):
    with pytest.raises(psycopg.Error) as refused:
        till.apply_payment({"id": str(uuid4()), "price_cents": PRICE})

    assert routines.code_of(refused.value) == "payment_not_found"


def test_intent_without_a_stripe_response_is_claimed_again(till):
    booking = till.book(till.stage.customer())
    assert till.claim("intents") == []
    till.db.execute("update payments.intents set available_at = now() - interval '1 second'")

    (claimed,) = till.claim("intents")

    assert (claimed["action"], claimed["idempotency_key"]) == ("create", f"intent-{booking['id']}")
    assert till.claim("intents") == []
