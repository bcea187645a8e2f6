"""Test that a retry after a lost response returns the stored response and books nothing twice."""

import pytest

from marquee.core import database
from tests.kit import gateway, stages
from tests.kit.databases import api_url
from tests.kit.response_proxy import Wire


@pytest.fixture
def wire(server, db, database_name, monkeypatch):
    """Connect the functions to the database through a proxy that can drop responses."""
    with Wire(server.port) as wire:
        url = api_url(server, database_name).replace(f":{server.port}/", f":{wire.port}/")
        monkeypatch.setenv("DATABASE_URL", url)
        yield wire
        database.disconnect()


def test_retry_after_a_lost_response_returns_it_and_books_once(db, wire):
    stage = stages.create(db)
    event_id, customer = stage.event(capacity=5), stage.customer()
    body = {"event_id": str(event_id), "seats": 2}
    gateway.get("book", "/bookings", caller=customer)  # opens the connection before it is cut
    wire.cut_next_answer.set()

    lost = gateway.post("book", "/bookings", body, caller=customer, key="tap")

    assert (lost.status, lost.body["code"]) == (503, "unavailable")
    assert "Idempotency-Key" in lost.body["detail"]
    assert wire.answers_cut == 1
    stored = db.execute("select response from ops.idempotency_keys").fetchone()["response"]
    retries = [gateway.post("book", "/bookings", body, caller=customer, key="tap") for _ in range(3)]
    assert [retry.status for retry in retries] == [201, 201, 201]
    assert {retry.text for retry in retries} == {stored}
    assert db.execute("select count(*) as n, sum(seats) as seats from events.bookings").fetchone() == {
        "n": 1,
        "seats": 2,
    }
    assert db.execute("select count(*) as n from public.outbox").fetchone()["n"] == 1
    assert db.execute(stages.DRIFT).fetchall() == []


def test_retry_of_a_cancellation_after_a_lost_response_returns_the_first_result(db, wire):
    stage = stages.create(db)
    event_id, customer = stage.event(capacity=1), stage.customer()
    booking = gateway.post("book", "/bookings", {"event_id": str(event_id)}, caller=customer).body
    gateway.get("cancel", "/bookings", caller=customer)
    wire.cut_next_answer.set()

    lost = gateway.post("cancel", f"/bookings/{booking['id']}/cancel", {"reason": "ill"}, caller=customer)
    again = gateway.post("cancel", f"/bookings/{booking['id']}/cancel", {"reason": "other"}, caller=customer)

    assert lost.status == 503
    assert (again.status, again.body["status"], again.body["reason"]) == (200, "cancelled", "ill")
    assert db.execute("select count(*) as n from public.outbox where topic = 'booking.cancelled'").fetchone()["n"] == 1
    assert db.execute(stages.DRIFT).fetchall() == []
