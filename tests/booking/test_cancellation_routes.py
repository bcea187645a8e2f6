"""Test the cancellation route: permissions, idempotency, fees, and the freed seats."""

from uuid import uuid4

import pytest

from tests.kit import gateway, routines, stages


@pytest.fixture
def stage(db):
    db.execute("update ops.rate_limit_rules set per_minute = 6000, burst = 6000")
    return stages.create(db)


def booked(db, stage, **columns):
    """Create an event and a booking. Return the event's id, the customer and the booking's id."""
    event_id, customer = stage.event(**columns), stage.customer()
    return event_id, customer, routines.book(db, event_id, customer, seats=2)["id"]


def cancel(booking_id, who, body=None):
    return gateway.post("cancel", f"/bookings/{booking_id}/cancel", body, caller=who)


def test_cancellation_frees_the_seats_and_writes_its_message(db, stage):
    event_id, customer, booking_id = booked(db, stage)

    answer = cancel(booking_id, customer, {"reason": "A cold"})

    assert answer.status == 200
    assert {name: answer.body[name] for name in ("status", "reason", "late", "fee_cents")} == {
        "status": "cancelled",
        "reason": "A cold",
        "late": False,
        "fee_cents": 0,
    }
    assert db.execute("select taken from events.inventory where event_id = %s", [event_id]).fetchone()["taken"] == 0
    assert db.execute("select count(*) as n from public.outbox where topic = 'booking.cancelled'").fetchone()["n"] == 1


def test_second_cancellation_returns_the_first_response_and_changes_nothing(db, stage):
    _, customer, booking_id = booked(db, stage)

    first, second = cancel(booking_id, customer, {"reason": "A cold"}), cancel(booking_id, customer, {"reason": "Rain"})

    assert first.text == second.text
    assert db.execute("select count(*) as n from public.outbox where topic = 'booking.cancelled'").fetchone()["n"] == 1
    assert db.execute("select count(*) as n from ops.state_history").fetchone()["n"] == 1


def test_only_staff_of_the_events_organization_cancel_for_a_customer(db, stage):
    _, _, booking_id = booked(db, stage)
    refused = [
        cancel(booking_id, who).status for who in (stage.customer(), stages.create(db).owner, stage.member("viewer"))
    ]

    assert refused == [404, 404, 404]
    assert cancel(booking_id, stage.member("front_desk")).status == 200


def test_cancellation_of_an_unknown_booking_is_not_found(stage):
    answer = cancel(uuid4(), stage.customer())

    assert (answer.status, answer.body["code"]) == (404, "booking_not_found")


def test_cancellation_without_a_token_is_unauthorized(db, stage):
    assert cancel(booked(db, stage)[2], None).status == 401


@pytest.mark.parametrize(
    ("starts_in", "who", "body", "late", "fee_cents"),
    [
        ("25 hours", "customer", {}, False, 0),
        ("23 hours", "customer", {}, True, 500),
        ("23 hours", "owner", {}, True, 500),
        ("23 hours", "owner", {"waive": True}, True, 0),
    ],
)
def test_late_cancellation_costs_the_policys_fee_unless_staff_waive_it(
    db, stage, starts_in, who, body, late, fee_cents
):
    _, customer, booking_id = booked(db, stage, starts_in=starts_in)
    db.execute("update events.bookings set price_cents = 5000")

    answer = cancel(booking_id, customer if who == "customer" else stage.owner, body)

    assert (answer.status, answer.body["late"], answer.body["fee_cents"]) == (200, late, fee_cents)


def test_cancellation_fee_is_limited_to_the_price_paid(db, stage):
    _, customer, booking_id = booked(db, stage, starts_in="1 hour")
    db.execute("update events.bookings set price_cents = 300")

    assert cancel(booking_id, customer).body["fee_cents"] == 300


def test_cancellation_follows_the_policy_at_the_time_of_booking(db, stage):
    event_id, customer, booking_id = booked(db, stage, starts_in="20 hours")
    db.execute("update events.bookings set price_cents = 5000")
    db.execute("update events.events set policy = policy || '{\"cancel_hours_before\": 1}' where id = %s", [event_id])

    assert cancel(booking_id, customer).body["late"] is True


def test_customer_cannot_waive_their_own_fee(db, stage):
    _, customer, booking_id = booked(db, stage)

    answer = cancel(booking_id, customer, {"waive": True})

    assert (answer.status, answer.body["code"]) == (403, "forbidden")


@pytest.mark.parametrize("ends_in", ["-2 hours", "1 minute"])
def test_customer_cannot_cancel_after_the_start_but_staff_can(db, stage, ends_in):
    """Refuse to avoid the no-show fee in the 59th minute of a class."""
    event_id, customer, booking_id = booked(db, stage)
    db.execute(
        "update events.events set starts_at = now() - interval '3 hours', ends_at = now() + %s::interval where id = %s",
        [ends_in, event_id],
    )

    answer = cancel(booking_id, customer)

    assert (answer.status, answer.body["code"]) == (409, "event_begun")
    assert answer.body["starts_at"] in answer.body["detail"]
    assert cancel(booking_id, stage.owner, {"waive": True}).body["status"] == "cancelled"


def test_repeated_cancellation_after_the_start_returns_the_first_response(db, stage):
    event_id, customer, booking_id = booked(db, stage)
    first = cancel(booking_id, customer)
    db.execute(
        "update events.events set starts_at = now() - interval '1 h', ends_at = now() + interval '1 h' where id = %s",
        [event_id],
    )

    assert cancel(booking_id, customer).text == first.text


def test_attended_booking_cannot_be_cancelled(db, stage):
    _, customer, booking_id = booked(db, stage, starts_in="30 minutes")
    gateway.post("attendance", f"/bookings/{booking_id}/attended", caller=stage.owner)

    answer = cancel(booking_id, customer)

    assert (answer.status, answer.body["code"], answer.body["from"]) == (409, "invalid_transition", "attended")


def test_state_history_records_actor_and_reason(db, stage):
    _, customer, booking_id = booked(db, stage)
    cancel(booking_id, customer, {"reason": "A cold"})

    row = db.execute(
        "select machine, from_state, to_state, actor_id, actor_role, reason from ops.state_history "
        "where subject_id = %s",
        [booking_id],
    ).fetchone()

    assert row == {
        "machine": "booking",
        "from_state": "confirmed",
        "to_state": "cancelled",
        "actor_id": customer,
        "actor_role": "authenticated",
        "reason": "A cold",
    }
