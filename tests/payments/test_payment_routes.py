"""Routes for payments by card or TWINT, with the Stripe stand-in and the real ledger."""

import os
from datetime import UTC, datetime

import pytest

from marquee.booking import bookings
from marquee.core import database
from marquee.core.identity import Caller
from marquee.edge import secrets
from marquee.edge.stripe import connect
from marquee.payments import intents
from tests.kit import gateway, stages
from tests.kit.stripe_process import Api, Process

KEY = "sk_test_paying_0123456789"


@pytest.fixture(scope="module")
def address():
    process = Process(":memory:")
    yield process.url
    process.stop()


@pytest.fixture
def stripe(address, monkeypatch):
    """Return the empty stand-in, to which the functions connect."""
    monkeypatch.setenv("STRIPE_API_KEY", KEY)
    monkeypatch.setenv("STRIPE_API_BASE", address)
    api = Api(address, KEY)
    api.control("/reset")
    return api


@pytest.fixture
def stage(db):
    db.execute("update ops.rate_limit_rules set per_minute = 6000, burst = 6000")
    return stages.create(db)


def book(event_id, customer, method="card", key="tap"):
    request = {"event_id": str(event_id), "payment_method": method}
    return gateway.post("book", "/bookings", request, caller=customer, key=key)


def settle(payment):
    client = connect(secrets.stripe_key(), base=os.environ["STRIPE_API_BASE"])
    return intents.settle(client, payment["stripe_payment_intent_id"], lambda: datetime.now(UTC))


@pytest.mark.parametrize("method", ["card", "twint"])
def test_card_or_twint_booking_returns_its_payment(stripe, stage, method):
    event_id, customer = stage.event(price_cents=2500), stage.customer()

    answer = book(event_id, customer, method)

    assert (answer.status, answer.body["status"]) == (201, "pending_payment")
    payment = answer.body["payment"]
    at_stripe = stripe.v1.payment_intents.retrieve(payment["stripe_payment_intent_id"])
    assert (at_stripe.amount, at_stripe.currency) == (2500, "chf")
    assert at_stripe.client_secret == payment["client_secret"]
    assert at_stripe.metadata["booking_id"] == answer.body["id"]


def test_card_booking_takes_one_round_trip_and_returns_its_payment(db, stage):
    event_id, customer = stage.event(price_cents=2500), stage.customer()
    request = bookings.BookingRequest.model_validate({"event_id": str(event_id), "payment_method": "card"})

    made = []
    for _ in range(2):
        with database.single(Caller(customer, "authenticated")) as session:
            made.append(bookings.book(session, request, "tap"))
        assert (session.round_trips, session.statements) == (1, 1)

    assert made[0] == made[1]
    assert (made[0].payment.status, made[0].payment.amount_cents) == ("created", 2500)
    assert db.execute("select id from payments.intents").fetchall() == [{"id": made[0].payment.intent_id}]


def test_paid_booking_is_confirmed(stripe, stage):
    event_id, customer = stage.event(price_cents=2500), stage.customer()
    booking = book(event_id, customer).body
    path = f"/bookings/{booking['id']}/payment"

    stripe.v1.payment_intents.confirm(
        booking["payment"]["stripe_payment_intent_id"],
        {"payment_method": "pm_card_visa", "return_url": "https://example.org"},
    )
    settle(booking["payment"])

    assert gateway.get("book", path, caller=customer).body["status"] == "succeeded"
    assert gateway.get("book", f"/bookings/{booking['id']}", caller=customer).body["status"] == "confirmed"


def test_declined_card_can_be_followed_by_another(stripe, stage):
    event_id, customer = stage.event(price_cents=2500), stage.customer()
    booking = book(event_id, customer).body
    path = f"/bookings/{booking['id']}/payment"

    for card, status in (("pm_card_visa_chargeDeclined", "open"), ("pm_card_visa", "succeeded")):
        answer = stripe.request(
            "POST",
            f"/v1/payment_intents/{booking['payment']['stripe_payment_intent_id']}/confirm",
            f"payment_method={card}&return_url=https://example.org",
        )
        assert answer.status == (402 if status == "open" else 200)
        settle(booking["payment"])
        payment = gateway.get("book", path, caller=customer).body
        assert payment["status"] == status
        assert (payment["error"] or {}).get("code") == ("card_declined" if status == "open" else None)


def test_retry_returns_the_same_response_and_creates_no_second_payment(stripe, stage):
    event_id, customer = stage.event(price_cents=2500), stage.customer()

    first, second = book(event_id, customer), book(event_id, customer)

    assert first.text == second.text
    assert len(stripe.v1.payment_intents.list().data) == 1


def test_retry_after_the_stripe_key_expired_creates_no_second_payment(stripe, stage):
    event_id, customer = stage.event(price_cents=2500), stage.customer()
    first = book(event_id, customer)
    stripe.control("/clock", advance=3 * 86400)

    second = book(event_id, customer)

    assert first.text == second.text
    assert len(stripe.v1.payment_intents.list().data) == 1


def test_seat_is_held_while_stripe_is_down_and_payment_starts_later(stripe, stage, monkeypatch, address):
    event_id, customer = stage.event(price_cents=2500), stage.customer()
    monkeypatch.setenv("STRIPE_API_BASE", "http://127.0.0.1:9")

    booking = book(event_id, customer)

    assert (booking.status, booking.body["payment"]["client_secret"]) == (201, None)
    monkeypatch.setenv("STRIPE_API_BASE", address)
    path = f"/bookings/{booking.body['id']}/payment"
    begun, again = (gateway.post("book", path, caller=customer) for _ in range(2))
    assert begun.status == 200
    assert begun.body["client_secret"] is not None
    assert again.body["client_secret"] == begun.body["client_secret"]


def test_payment_of_another_customer_is_not_found(stripe, stage):
    booking = book(stage.event(price_cents=2500), stage.customer()).body

    answer = gateway.get("book", f"/bookings/{booking['id']}/payment", caller=stage.customer())

    assert (answer.status, answer.body["code"]) == (404, "payment_not_found")


def test_free_booking_has_no_payment(stripe, stage):
    booking = gateway.post("book", "/bookings", {"event_id": str(stage.event())}, caller=(who := stage.customer())).body

    answer = gateway.get("book", f"/bookings/{booking['id']}/payment", caller=who)

    assert "payment" not in booking
    assert (answer.status, answer.body["code"]) == (404, "payment_not_found")
    assert stripe.v1.payment_intents.list().data == []
