"""Marks from devices at the door: each has its own result, and the latest mark of a booking counts."""

import itertools
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from tests.kit import gateway, money_invariants, routines
from tests.kit.concurrency import run_together
from tests.kit.wallets import CreditBookings

NOW = datetime.now(UTC)


@pytest.fixture
def desk(db):
    desk = CreditBookings(db)
    yield desk
    assert desk.findings() == []
    assert money_invariants.findings(db) == []


def begin(desk, starts_in="-9 minutes"):
    query = "update events.events set starts_at = now() + %s::interval, ends_at = now() + %s::interval + '1 h'"
    desk.db.execute(query, [starts_in, starts_in])


def booked(desk, money=0):
    customer = desk.customer()
    desk.give(customer, 10000 + money)
    return desk.book(customer, "wallet")


def mark(booking, attended, minutes=0, key=None, **more):
    at = (NOW - timedelta(minutes=30) + timedelta(minutes=minutes)).isoformat()
    return {"key": key or uuid4().hex, "booking_id": str(booking["id"]), "attended": attended, "at": at, **more}


def send(desk, *marks, caller=None):
    path = f"/events/{desk.event_id}/attendance"
    return gateway.post("desk", path, {"marks": list(marks)}, caller=caller or desk.stage.owner)


def outcomes(answer):
    assert answer.status == 200, answer.body
    return [(one["result"], one["code"]) for one in answer.body["results"]]


def test_each_mark_has_its_own_result(desk):
    came, missed, cancelled = booked(desk), booked(desk), booked(desk)
    desk.cancel(cancelled)
    begin(desk)

    answer = send(
        desk,
        mark(came, True),
        mark(missed, False),
        mark(cancelled, True),
        mark({"id": uuid4()}, True),
        mark(came, False, minutes=60),
        caller=desk.stage.member("front_desk"),
    )

    assert outcomes(answer) == [
        ("recorded", None),
        ("recorded", None),
        ("refused", "invalid_transition"),
        ("refused", "booking_not_found"),
        ("refused", "mark_in_future"),
    ]
    assert (desk.status(came), desk.status(missed), desk.status(cancelled)) == ("attended", "no_show", "cancelled")
    assert answer.body["results"][1]["booking"]["fee_cents"] == 900


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_latest_mark_counts_in_whatever_order_marks_come(desk, order):
    booking = booked(desk, money=5000)
    begin(desk)
    marks = [mark(booking, True, 0), mark(booking, False, 1), mark(booking, True, 2)]

    for place in order:
        send(desk, marks[place])
    repeated = send(desk, *marks)

    assert desk.status(booking) == "attended"
    assert outcomes(repeated) == [("superseded", None), ("superseded", None), ("recorded", None)]
    fees = desk.db.execute("select from payments.fees where taken_back_at is null").fetchall()
    assert fees == []


def test_repeated_mark_charges_one_fee_and_sends_one_message(desk):
    booking = booked(desk)
    begin(desk)
    missed = mark(booking, False)

    first, again = send(desk, missed), send(desk, missed, missed)

    assert outcomes(first) == [("recorded", None)]
    assert outcomes(again) == [("recorded", None)] * 2
    assert len(desk.db.execute("select from payments.fees").fetchall()) == 1
    topics = desk.db.execute("select from public.outbox where topic = 'booking.no_show'").fetchall()
    assert len(topics) == 1


def test_marks_of_the_same_time_end_the_same_in_both_orders(desk):
    bookings = [booked(desk), booked(desk)]
    begin(desk)
    for booking, keys in zip(bookings, ("ab", "ba"), strict=True):
        for key in keys:
            send(desk, mark(booking, key == "b", key=key))

    assert [desk.status(booking) for booking in bookings] == ["attended", "attended"]


def test_record_at_the_desk_counts_as_a_mark_of_its_moment(desk):
    booking = booked(desk)
    begin(desk)
    query = "select events.record_attendance(booking_id => %s, attended => true)"
    routines.call(desk.db, desk.stage.owner, query, [booking["id"]])

    assert outcomes(send(desk, mark(booking, False))) == [("superseded", None)]
    assert desk.status(booking) == "attended"


def test_concurrent_devices_agree_on_the_latest_mark(desk, connect):
    bookings = [booked(desk, money=5000) for _ in range(4)]
    begin(desk)
    batches = [[mark(b, minute % 2 == 0, minute) for b in bookings] for minute in range(5)]
    batches[1].reverse()
    batches[3].reverse()

    def act(connection, marks):
        query = "select events.mark_attendance(event_id => %s, marks => %s::text::jsonb)"
        return routines.call(connection, desk.stage.owner, query, [desk.event_id, json.dumps(marks)])

    results = run_together(connect, batches, act)

    assert all(isinstance(result, list) for result in results)
    assert [desk.status(booking) for booking in bookings] == ["attended"] * 4


def test_only_door_staff_marks_and_not_before_the_last_hour(desk):
    booking = booked(desk)

    early = send(desk, mark(booking, True))
    begin(desk)

    assert (early.status, early.body["code"]) == (409, "too_early")
    assert send(desk, mark(booking, True), caller=desk.stage.member("viewer")).status == 403
    assert send(desk, mark(booking, True), caller=UUID(booking["customer_id"])).status == 403
    assert send(desk, *[mark(booking, True)] * 501).status == 422
