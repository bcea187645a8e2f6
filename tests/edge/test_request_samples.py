"""Test request samples: they are written in batches, never one by one, and never fail a request."""

from uuid import uuid4

import pytest

from marquee.core.errors import Refused, Unavailable
from marquee.core.identity import Caller, anonymous
from marquee.edge import request_samples
from tests.kit import gateway, scheduling


@pytest.fixture
def clock(monkeypatch):
    """Replace the clock with one that moves only when the test moves it."""

    class Clock:
        seconds = 1000.0

        def monotonic(self):
            return self.seconds

    moved = Clock()
    monkeypatch.setattr(request_samples, "time", moved)
    return moved


def written():
    """Return a batch and the list of its writes."""
    writes: list[request_samples.Metrics] = []
    return request_samples.Batch(lambda _caller, metrics: writes.append(metrics)), writes


def request(batch, route="POST /bookings", milliseconds=5.0, failed=False):
    batch.add(route, milliseconds, failed=failed)
    batch.write_if_due(anonymous())


def test_hundred_requests_are_written_at_once(clock):
    batch, writes = written()

    for number in range(250):
        request(batch, failed=number % 50 == 0)

    assert len(writes) == 2
    assert writes[0][0] == {"name": "request_errors", "value": 2, "unit": "requests", "tags": {"of": 100}}
    assert batch.requests == 50


def test_smaller_batch_is_written_when_its_oldest_request_is_a_minute_old(clock):
    batch, writes = written()
    for _request in range(30):
        request(batch)
    assert writes == []

    clock.seconds += 60
    request(batch)

    assert [each[0]["tags"] for each in writes] == [{"of": 31}]


def test_few_requests_are_never_written_one_by_one(clock):
    batch, writes = written()
    for _request in range(19):
        request(batch)
        clock.seconds += 600

    assert writes == []


def test_booking_durations_are_sampled_and_keep_the_longest(clock):
    batch, writes = written()
    for number in range(50):
        request(batch, milliseconds=float(number))
        request(batch, "GET /events/{event_id}", 9999.0)

    durations = [metric for metric in writes[0] if metric["name"] == "booking_operation_duration"]

    assert {metric["tags"]["operation"] for metric in durations} == {"book"}
    values = [metric["value"] for metric in durations]
    assert len(values) == 20
    assert (min(values), max(values)) == (0.0, 49.0)
    assert sorted(values)[18] == pytest.approx(46, abs=2)


def test_unavailable_database_fails_no_request(clock):
    def fail(caller, metrics):
        raise Unavailable("gone")

    batch = request_samples.Batch(fail)
    for _request in range(100):
        request(batch)

    assert batch.requests == 0


def test_requests_through_the_handler_reach_the_alert_rules(db, monkeypatch):
    world = scheduling.world(db)
    event_id = scheduling.make_event(world)["id"]
    monkeypatch.setattr(request_samples, "BATCH_MOST", 3)
    monkeypatch.setattr(request_samples, "BATCH_LEAST", 1)
    request_samples.requests = request_samples.Batch(request_samples.requests.write)

    for key in ("a", "a", "a"):
        answer = gateway.post("book", "/bookings", {"event_id": event_id}, caller=world.customer, key=key)
        assert answer.status == 201

    rows = db.execute("select name, tags, value, recorded_at <= now() as past from ops.performance_metrics").fetchall()
    assert sorted(row["name"] for row in rows) == ["booking_operation_duration"] * 3 + ["request_errors"]
    assert all(row["past"] for row in rows)
    value = db.execute("select ops.metric_aggregate('booking_operation_duration', 'p95', 300, now() + '1 s') as v")
    assert 0 < value.fetchone()["v"] < 5000


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
def test_samples_are_written_as_the_caller(db, role):
    caller = Caller(uuid4() if role == "authenticated" else None, role)

    request_samples.requests.write(
        caller, [{"name": "request_errors", "value": 1, "unit": "requests", "tags": {"of": 20}}]
    )

    assert db.execute("select name, value from ops.performance_metrics").fetchall() == [
        {"name": "request_errors", "value": 1}
    ]


@pytest.mark.parametrize(
    "metrics",
    [
        None,
        {},
        [{}],
        [{"name": "queue_age", "value": 1, "unit": "requests"}],
        [{"name": "request_errors", "value": -1, "unit": "requests"}],
        [{"name": "request_errors", "value": "NaN", "unit": "requests"}],
        [{"name": "request_errors", "value": 1, "unit": "requests", "recorded_at": "2001-01-01T00:00:00Z"}],
        [{"name": "request_errors", "value": 1, "unit": "requests", "tags": {"note": "x" * 100}}],
        [{"name": "request_errors", "value": 1, "unit": "requests"}] * 201,
    ],
)
def test_caller_cannot_write_other_metrics(db, metrics):
    with pytest.raises(Refused) as refusal:
        request_samples.requests.write(anonymous(), metrics)

    assert refusal.value.code == "invalid_request"
    assert db.execute("select from ops.performance_metrics").fetchall() == []
