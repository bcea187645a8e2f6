"""Test rate limits: tokens refill continuously, a refusal takes none, and a failed limiter blocks no request."""

import json
from uuid import UUID

import pytest

from marquee.core import database
from marquee.core.database import Limit
from marquee.core.identity import Caller
from tests.kit import gateway, stages

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def stage(db):
    return stages.create(db)


def book(event_id, customer, address="192.0.2.1"):
    return gateway.post("book", "/bookings", {"event_id": str(event_id)}, caller=customer, address=address)


def pass_seconds(db, seconds):
    db.execute("update ops.rate_limits set full_at = full_at - make_interval(secs => %s)", [seconds])


def test_sixth_booking_in_a_minute_is_refused_with_a_time_to_retry(stage):
    customer = stage.customer()

    answers = [book(stage.event(), customer) for _ in range(6)]

    assert [answer.status for answer in answers] == [201] * 5 + [429]
    refused = answers[-1]
    assert refused.body["code"] == "rate_limited"
    assert 1 <= int(refused.headers["retry-after"]) <= 12


def test_refused_booking_counts_against_the_limit(stage):
    full, customer = stage.event(capacity=0), stage.customer()

    assert [book(full, customer).status for _ in range(6)] == [409] * 5 + [429]


def test_caller_at_a_steady_pace_is_never_limited(db, stage):
    customer = stage.customer()
    for _ in range(30):
        assert book(stage.event(), customer).status == 201
        pass_seconds(db, 12)


def test_rate_limited_call_takes_no_token(db, stage):
    customer = stage.customer()
    for _ in range(5):
        book(stage.event(), customer)
    for _ in range(20):
        assert book(stage.event(), customer).status == 429

    pass_seconds(db, 12)

    assert book(stage.event(), customer).status == 201


def test_callers_have_separate_limits(stage):
    ana, ben = stage.customers(2)
    for _ in range(6):
        book(stage.event(), ana)

    assert book(stage.event(), ben).status == 201


def test_address_has_its_own_limit_across_callers(db, stage):
    db.execute("update ops.rate_limit_rules set address_per_minute = 3, address_burst = 3")
    event_id = stage.event()

    here = [book(event_id, who).status for who in stage.customers(4)]
    elsewhere = book(event_id, stage.customer(), address="198.51.100.7")

    assert (here, elsewhere.status) == ([201, 201, 201, 429], 201)


def test_forwarded_header_of_the_client_is_not_used_as_address(db, stage):
    db.execute("update ops.rate_limit_rules set address_per_minute = 1, address_burst = 1")
    event_id = stage.event()
    book(event_id, stage.customer())

    answer = gateway.post(
        "book",
        "/bookings",
        {"event_id": str(event_id)},
        caller=stage.customer(),
        address="192.0.2.1",
        headers={"X-Forwarded-For": "203.0.113.99"},
    )

    assert answer.status == 429


def test_failed_limiter_lets_the_request_through_and_emits_a_metric(db, stage, capsys):
    db.execute("alter table ops.rate_limits rename to rate_limits_gone")

    answer = book(stage.event(), stage.customer())

    assert answer.status == 201
    metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert any("RateLimiterFailed" in line for line in metrics)


def test_refused_transaction_of_several_statements_counts(db, stage):
    """Create a series as a stranger. The first of several statements in the transaction refuses it."""
    db.execute("update ops.rate_limit_rules set per_minute = 2, burst = 2 where operation = 'edit_series'")
    paths = json.loads((gateway.FUNCTIONS.parent / "docs" / "openapi.json").read_text())["paths"]
    body = paths["/series"]["post"]["requestBody"]["content"]["application/json"]["example"]
    stranger = stage.customer()

    answers = [gateway.post("manage-events", "/series", body, caller=stranger, headers=JSON) for _ in range(3)]

    assert [answer.status for answer in answers] == [404, 404, 429]


def test_taking_tokens_does_not_fail_without_a_database(monkeypatch):
    heard = []
    monkeypatch.setattr(database, "warning_listeners", [heard.append])
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")

    database.take_tokens(Caller(UUID(int=1), "authenticated"), Limit("rate", "192.0.2.1"))

    assert heard == ["rate_limiter_failed"]
