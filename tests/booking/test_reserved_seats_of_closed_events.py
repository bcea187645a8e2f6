"""Customers can book seats that they hold, or were offered, until sales end, also if the event closes to others."""

from uuid import UUID

import psycopg
import pytest

from tests.kit import gateway, routines, stages

CLOSED = {
    "private": ("visibility = 'private'", "event_not_found"),
    "not open": ("policy = policy || '{\"opens_days_before\": 1}'", "booking_window_closed"),
}
HOLD = "select events.hold_seats(event_id => %s, seats => %s)"
JOIN = "select events.join_waitlist(event_id => %s, seats => %s)"


@pytest.fixture
def stage(db):
    return stages.create(db)


def reserve(stage: stages.Stage, how: str) -> tuple[UUID, UUID, UUID]:
    """Reserve two of four seats by a hold or an offer. Return the event, the customer, and the hold or entry."""
    event_id, customer = stage.event(capacity=4), stage.customer()
    if how == "hold":
        return event_id, customer, UUID(routines.call(stage.db, customer, HOLD, [event_id, 2])["id"])
    sold = routines.book(stage.db, event_id, stage.customer(), 4)
    entry = routines.call(stage.db, customer, JOIN, [event_id, 2])
    routines.call(stage.db, stage.owner, "select events.cancel_booking(%s)", [sold["id"]])
    return event_id, customer, UUID(entry["id"])


def close(stage: stages.Stage, event_id: UUID, state: str) -> None:
    stage.db.execute(f"update events.events set {CLOSED[state][0]} where id = %s", [event_id])


@pytest.mark.parametrize("state", CLOSED)
@pytest.mark.parametrize("way", ["book", "book one", "hold and book", "named hold", "accept"])
def test_reserved_seats_of_a_closed_event_can_be_booked(stage, state, way):
    event_id, customer, reserved = reserve(stage, "hold" if way == "named hold" else "offer")
    close(stage, event_id, state)

    body = {"event_id": str(event_id), "seats": 1 if way == "book one" else 2}
    if way == "named hold":
        body["hold_id"] = str(reserved)
    if way == "hold and book":
        assert gateway.post("book", "/holds", body, caller=customer).status == 201
    if way == "accept":
        answer = gateway.post("waitlist", f"/waitlist/{reserved}/accept", caller=customer)
        assert (answer.status, answer.body["status"]) == (200, "accepted")
    else:
        assert gateway.post("book", "/bookings", body, caller=customer, key="tap").status == 201


@pytest.mark.parametrize("state", CLOSED)
@pytest.mark.parametrize("how", ["hold", "offer"])
def test_closed_event_is_closed_beyond_the_reserved_seats(stage, state, how):
    event_id, customer, _ = reserve(stage, how)
    close(stage, event_id, state)

    body = {"event_id": str(event_id), "seats": 3}
    for who in (customer, stage.customer()):
        for path in ("/bookings", "/holds"):
            answer = gateway.post("book", path, body, caller=who, key="tap" if path == "/bookings" else None)
            assert answer.body["code"] == CLOSED[state][1]
    # Another person's reservation opens nothing.
    body |= {"seats": 1, "customer_id": str(customer)}
    answer = gateway.post("book", "/bookings", body, caller=stage.customer(), key="tap")
    assert answer.body["code"] == CLOSED[state][1]


@pytest.mark.parametrize("change", ["status = 'draft'", "policy = policy || '{\"closes_minutes_before\": 20000}'"])
@pytest.mark.parametrize("how", ["hold", "offer"])
def test_reservation_ends_with_sales_and_for_drafts(stage, change, how):
    event_id, customer, _ = reserve(stage, how)
    stage.db.execute("alter table events.events disable trigger enforce_transition")
    stage.db.execute(f"update events.events set {change} where id = %s", [event_id])

    with pytest.raises(psycopg.Error) as refused:
        routines.book(stage.db, event_id, customer, 2)

    assert routines.code_of(refused.value) in ("event_not_found", "booking_window_closed")


def test_nothing_is_offered_before_sales_open(stage):
    event_id, customer = stage.event(capacity=2), stage.customer()
    sold = routines.book(stage.db, event_id, stage.customer(), 2)
    routines.call(stage.db, customer, JOIN, [event_id, 2])
    close(stage, event_id, "not open")
    states = "select status from events.waitlist_entries"

    routines.call(stage.db, stage.owner, "select events.cancel_booking(%s)", [sold["id"]])
    routines.call(stage.db, None, "select events.promote_waitlists()")
    assert stage.db.execute(states).fetchone()["status"] == "waiting"

    stage.db.execute("update events.events set policy = policy || '{\"opens_days_before\": 20}'")
    routines.call(stage.db, None, "select events.promote_waitlists()")
    assert stage.db.execute(states).fetchone()["status"] == "offered"
