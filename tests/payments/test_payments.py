"""Paying for bookings, as the database keeps it: what Stripe says is given to it as facts, in whatever order."""

from uuid import UUID, uuid4

import psycopg
import pytest

from tests.kit import routines
from tests.kit.payments import PRICE, SOLD, CardBookings


@pytest.fixture
def till(db):
    return CardBookings(db)


def test_a_card_booking_keeps_its_seat_and_waits_for_its_payment(till):
    booking = till.book(till.stage.customer())

    assert (booking["status"], booking["price_cents"]) == ("pending_payment", PRICE)
    assert till.seats() == {"taken": 0, "held": 1}
    intent = till.db.execute("select status, amount_cents, currency from payments.intents").fetchone()
    assert intent == {"status": "created", "amount_cents": PRICE, "currency": "CHF"}
    assert till.balances() == {}
    assert till.topics() == []


def test_a_payment_confirms_the_booking_and_is_shared_out(till):
    booking = till.book(till.stage.customer())

    answer = till.hear(booking)

    assert (answer["status"], answer["did"]) == ("succeeded", ["confirmed"])
    assert till.status(booking) == "confirmed"
    assert till.seats() == {"taken": 1, "held": 0}
    assert till.balances() == SOLD
    assert till.topics() == ["booking.confirmed"]


def test_the_same_news_twice_changes_nothing(till):
    booking = till.book(till.stage.customer())
    facts = till.facts(booking)
    till.apply(facts)
    before = till.balances()

    again = till.apply(facts)

    assert again["did"] == []
    assert till.balances() == before
    assert till.topics() == ["booking.confirmed"]


def test_an_unsuccessful_first_attempt_does_not_lose_the_seat(till):
    booking = till.book(till.stage.customer())

    till.hear(booking, "requires_payment_method", error={"code": "card_declined"})
    assert till.status(booking) == "pending_payment"
    assert till.seats() == {"taken": 0, "held": 1}
    till.hear(booking)

    assert till.status(booking) == "confirmed"


def test_old_news_after_new_changes_nothing(till):
    booking = till.book(till.stage.customer())
    old = till.facts(booking, "requires_payment_method", error={"code": "card_declined"})
    till.hear(booking)

    answer = till.apply(old)

    assert (answer["stale"], answer["status"]) == (True, "succeeded")
    assert till.status(booking) == "confirmed"


def test_an_abandoned_card_payment_frees_its_seat_and_lets_the_customer_try_again(till):
    customer = till.stage.customer()
    booking = till.book(customer)
    till.hear(booking, "requires_payment_method")

    routines.call(till.db, None, "select events.expire_holds(at => now() + interval '16 minutes')")

    assert till.status(booking) == "expired"
    assert till.seats() == {"taken": 0, "held": 0}
    assert [(row["intent_id"], row["action"]) for row in till.claim("intents")] == [(UUID(booking["id"]), "cancel")]
    # After a pause as long as the seat was kept: see tests/booking/test_hold_limits.py.
    till.db.execute(
        "update events.holds set created_at = created_at - interval '1 hour', ended_at = now() - interval '1 hour'"
    )
    assert till.book(customer, key="again")["status"] == "pending_payment"


def test_the_seat_of_a_payment_that_was_given_up_is_offered_in_the_same_moment(db):
    till = CardBookings(db, capacity=1)
    booking, waiting = till.book(till.stage.customer()), till.stage.customer()
    routines.call(db, waiting, "select events.join_waitlist(event_id => %s)", [till.event_id])

    assert till.hear(booking, "canceled")["did"] == ["abandoned"]

    entry = routines.call(db, waiting, "select events.waitlist_place(event_id => %s)", [till.event_id])
    assert (till.status(booking), entry["status"]) == ("expired", "offered")
    assert till.seats() == {"taken": 0, "held": 1}


def test_a_payment_that_comes_late_takes_a_seat_that_is_free(till):
    booking = till.book(till.stage.customer())
    routines.call(till.db, None, "select events.expire_holds(at => now() + interval '16 minutes')")

    till.hear(booking)

    assert till.status(booking) == "confirmed"
    assert till.seats() == {"taken": 1, "held": 0}
    assert till.balances() == SOLD


def test_a_payment_that_comes_late_does_not_pass_those_who_wait(db):
    till = CardBookings(db, capacity=2)
    late, waiting = till.book(till.stage.customer()), till.stage.customer()
    till.hear(till.book(till.stage.customer()))
    routines.call(db, waiting, "select events.join_waitlist(event_id => %s, seats => 2)", [till.event_id])
    routines.call(db, None, "select events.expire_holds(at => now() + interval '16 minutes')")
    assert till.seats() == {"taken": 1, "held": 0}

    assert till.hear(late)["did"] == ["returned"]

    assert till.status(late) == "expired"
    assert till.seats() == {"taken": 1, "held": 0}


def test_a_payment_that_comes_too_late_goes_back_by_itself_and_says_so(db):
    till = CardBookings(db, capacity=1)
    late = till.book(till.stage.customer())
    routines.call(db, None, "select events.expire_holds(at => now() + interval '16 minutes')")
    till.hear(till.book(till.stage.customer()))

    assert till.hear(late)["did"] == ["returned"]
    till.send_refunds()

    assert till.status(late) == "expired"
    assert till.seats() == {"taken": 1, "held": 0}
    assert till.topics()[-2:] == ["payment.returned", "refund.succeeded"]
    assert till.balances() == {**SOLD, "platform clearing": PRICE - 640, "platform fees": 640}


def test_a_payment_of_a_booking_that_was_cancelled_meanwhile_goes_back(till):
    customer = till.stage.customer()
    booking = till.book(customer)
    till.cancel(booking, customer)

    assert till.hear(booking)["did"] == ["returned"]
    assert [row["amount_cents"] for row in till.send_refunds()] == [PRICE]
    assert "organization receivable" not in till.balances()


def test_cancelling_in_time_gives_everything_back_the_way_it_came(till):
    customer = till.stage.customer()
    booking = till.book(customer)
    till.hear(booking)

    till.cancel(booking, customer)
    till.cancel(booking, customer)

    assert [row["amount_cents"] for row in till.send_refunds()] == [PRICE]
    assert till.claim("refunds") == []
    assert till.balances() == {"platform clearing": -320, "platform fees": 320}
    assert till.topics() == ["booking.confirmed", "refund.requested", "booking.cancelled", "refund.succeeded"]


def test_cancelling_late_costs_the_fee_of_the_policy_that_was_booked(db):
    till = CardBookings(db, cancel_hours_before=2160, late_fee_cents=3000)
    customer = till.stage.customer()
    booking = till.book(customer)
    till.hear(booking)
    db.execute("update events.events set policy = '{}'")

    till.cancel(booking, customer)

    assert [row["amount_cents"] for row in till.send_refunds()] == [7000]
    assert till.balances() == {
        "platform clearing": 3000 - 320,
        "platform fees": 320,
        "organization receivable": -2850,
        "platform revenue": -150,
    }


def test_a_refund_goes_to_the_wallet_where_the_policy_says_so(db):
    till = CardBookings(db, refund_to="wallet")
    customer = till.stage.customer()
    booking = till.book(customer)
    till.hear(booking)

    till.cancel(booking, customer)

    assert till.claim("refunds") == []
    assert till.balances()["user credits"] == -PRICE
    assert till.book(customer, "wallet", key="again")["status"] == "confirmed"
    assert "user credits" not in till.balances()


def test_a_wallet_pays_at_once_and_never_more_than_is_in_it(till):
    customer = till.stage.customer()

    with pytest.raises(psycopg.Error) as refused:
        till.book(customer, "wallet")

    assert routines.code_of(refused.value) == "insufficient_funds"
    assert till.seats() == {"taken": 0, "held": 0}
    assert till.topics() == []


def test_a_booking_that_failed_to_pay_can_be_made_again(till):
    customer = till.stage.customer()
    with pytest.raises(psycopg.Error):
        till.book(customer, "wallet")

    assert till.book(customer, "card")["status"] == "pending_payment"


def test_a_cancelled_event_gives_everybody_everything_back(db):
    till = CardBookings(db, capacity=50, cancel_hours_before=2160, late_fee_cents=3000)
    bookings = [till.book(customer) for customer in till.stage.customers(12)]
    for booking in bookings[:-1]:
        till.hear(booking)

    routines.call(db, till.stage.owner, "select events.cancel_event(event_id => %s)", [till.event_id])

    assert [row["amount_cents"] for row in till.send_refunds()] == [PRICE] * 11
    assert till.balances() == {"platform clearing": -11 * 320, "platform fees": 11 * 320}
    assert [row["action"] for row in till.claim("intents")] == ["create"]


def test_a_refund_that_fails_puts_the_money_back_and_can_be_sent_again(till):
    customer = till.stage.customer()
    booking = till.book(customer)
    till.hear(booking)
    till.cancel(booking, customer)
    (sent,) = till.send_refunds()
    refund = {"stripe_id": f"re_{sent['refund_id']}", "refund_id": str(sent["refund_id"]), "amount_cents": PRICE}

    till.hear(booking, refunds=[{**refund, "status": "failed", "failure_reason": "lost_or_stolen_card"}])

    assert till.balances() == {"platform clearing": PRICE - 320, "platform fees": 320, "user cash": -PRICE}
    assert till.topics()[-1] == "refund.failed"
    routines.call(till.db, till.stage.owner, "select payments.reopen_refund(refund_id => %s)", [sent["refund_id"]])
    (again,) = till.send_refunds()
    assert again["idempotency_key"] != sent["idempotency_key"]
    assert till.balances() == {"platform clearing": -320, "platform fees": 320}


def test_cumulative_refunds_made_at_stripe_are_counted_once_each(till):
    booking = till.book(till.stage.customer())
    till.hear(booking)
    first = {"stripe_id": "re_1", "refund_id": None, "amount_cents": 3333, "status": "succeeded"}
    second = {"stripe_id": "re_2", "refund_id": None, "amount_cents": PRICE - 3333, "status": "succeeded"}

    till.hear(booking, refunds=[first])
    assert till.balances()["platform revenue"] == -(500 - 166)
    assert till.status(booking) == "confirmed"
    till.hear(booking, refunds=[first, second])
    till.hear(booking, refunds=[first, second])

    assert till.status(booking) == "refunded"
    assert till.seats() == {"taken": 0, "held": 0}
    assert till.balances() == {"platform clearing": -320, "platform fees": 320}


def test_the_seat_of_a_payment_that_went_back_at_stripe_is_offered_in_the_same_moment(db):
    till = CardBookings(db, capacity=1)
    booking, waiting = till.book(till.stage.customer()), till.stage.customer()
    till.hear(booking)
    routines.call(db, waiting, "select events.join_waitlist(event_id => %s)", [till.event_id])

    till.hear(booking, refunds=[{"stripe_id": "re_1", "refund_id": None, "amount_cents": PRICE, "status": "succeeded"}])

    entry = routines.call(db, waiting, "select events.waitlist_place(event_id => %s)", [till.event_id])
    assert (till.status(booking), entry["status"]) == ("refunded", "offered")


def test_a_dispute_takes_from_the_organizer_and_gives_back_when_won(till):
    booking = till.book(till.stage.customer())
    till.hear(booking)
    dispute = {"stripe_id": "dp_1", "amount_cents": PRICE, "reason": "fraudulent"}

    till.hear(booking, disputes=[{**dispute, "status": "needs_response"}])
    assert till.balances() == {**SOLD, "platform clearing": -320, "organization receivable": 500}

    till.hear(booking, disputes=[{**dispute, "status": "won"}])
    assert till.balances() == SOLD


def test_a_payment_of_another_amount_is_not_taken_for_this_one(till):
    booking = till.book(till.stage.customer())

    with pytest.raises(psycopg.Error) as refused:
        till.hear(booking, amount_cents=1)

    assert routines.code_of(refused.value) == "payment_mismatch"
    assert till.status(booking) == "pending_payment"


def test_news_of_a_payment_that_nobody_made_is_not_found(till):
    with pytest.raises(psycopg.Error) as refused:
        till.hear({"id": str(uuid4()), "price_cents": PRICE})

    assert routines.code_of(refused.value) == "payment_not_found"


def test_a_payment_whose_answer_from_stripe_was_lost_is_asked_for_again(till):
    booking = till.book(till.stage.customer())
    assert till.claim("intents") == []
    till.db.execute("update payments.intents set available_at = now() - interval '1 second'")

    (claimed,) = till.claim("intents")

    assert (claimed["action"], claimed["idempotency_key"]) == ("create", f"intent-{booking['id']}")
    assert till.claim("intents") == []
