"""Outbound webhooks in the database: one delivery per message and endpoint, with retries and manual resends."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from tests.kit import routines, stages
from tests.kit.webhook_routines import (
    NOW,
    as_admin,
    build_message,
    claim,
    deliveries,
    endpoint,
    fan_out,
    finish,
    statuses,
)


@pytest.fixture
def stage(db):
    return stages.create(db)


def test_redelivered_message_becomes_one_delivery_per_endpoint(stage):
    endpoint(stage)
    endpoint(stage)

    made = [fan_out(stage, build_message(stage, 1), build_message(stage, 2)) for _time in range(3)]

    assert made == [4, 0, 0]
    assert len(deliveries(stage)) == 4


def test_endpoint_receives_only_its_organization_and_topics(stage):
    other = stages.create(stage.db)
    endpoint(stage, topics=["booking.cancelled"])
    endpoint(other)

    assert fan_out(stage, build_message(stage, 1), build_message(stage, 2, topic="booking.cancelled")) == 1
    assert [row["topic"] for row in deliveries(stage)] == ["booking.cancelled"]


def test_endpoint_receives_no_message_older_than_itself(stage):
    endpoint(stage)
    before = build_message(stage, 1) | {"created_at": "2020-01-01T00:00:00Z"}

    assert fan_out(stage, before, build_message(stage, 2)) == 1
    assert [row["number"] for row in deliveries(stage)] == ["2"]


def test_finished_deliveries_are_deleted_after_thirty_days(stage):
    endpoint(stage)
    fan_out(stage, build_message(stage, 1), build_message(stage, 2, key="other"))
    finish(stage, *[each for each in claim(stage) if each["payload"]["number"] == 1])
    stage.db.execute("update messaging.webhook_deliveries set created_at = now() - interval '31 days'")

    assert routines.call(stage.db, None, "select ops.clean_up()")["webhooks"] == 1
    assert [row["number"] for row in deliveries(stage)] == ["2"]
    assert stage.db.execute("select count(*) as n from messaging.webhook_attempts").fetchone() == {"n": 0}


def test_concurrent_workers_create_and_claim_each_delivery_once(stage, connect):
    endpoint(stage)
    happenings = json.dumps([build_message(stage, number, key=f"k{number}") for number in range(50)])

    def work(_number):
        with connect() as connection:
            connection.execute(
                "select messaging.fan_out_webhooks(happenings => %s::jsonb, at => %s)", [happenings, NOW]
            )
            call = "messaging.claim_webhook_deliveries(at => %s, per_endpoint => 100, sealed => true)"
            query = f"select c.id from {call} as c"
            return [row["id"] for row in connection.execute(query, [NOW])]

    with ThreadPoolExecutor(8) as pool:
        claimed = [each for part in pool.map(work, range(8)) for each in part]

    assert len(deliveries(stage)) == 50
    assert len(claimed) == len(set(claimed)) == 50


def test_claim_returns_the_values_needed_to_send_and_sign(stage):
    made = endpoint(stage)
    fan_out(stage, build_message(stage, 1))

    [claimed] = claim(stage)

    assert claimed["url"] == "https://hooks.example.com/in"
    assert claimed["secrets"] == [made["secret"]]
    assert (claimed["topic"], claimed["attempt"], claimed["try"]) == ("booking.confirmed", 1, 1)
    assert claimed["payload"]["number"] == 1
    assert claim(stage) == []


def test_delivery_of_a_dead_worker_is_claimed_after_its_lease(stage):
    endpoint(stage)
    fan_out(stage, build_message(stage, 1))
    [first] = claim(stage)

    assert claim(stage, NOW + timedelta(seconds=89)) == []
    [second] = claim(stage, NOW + timedelta(seconds=90))

    assert (second["id"], second["attempt"]) == (first["id"], 2)


def test_first_attempts_of_a_key_are_ordered_and_retries_block_nothing(stage):
    endpoint(stage)
    fan_out(stage, build_message(stage, 1), build_message(stage, 2))
    [first] = claim(stage, per_endpoint=1)
    assert claim(stage) == []  # the second waits for the first attempt at the first

    fan_out(stage, build_message(stage, 3, key="other"))
    assert [row["payload"]["number"] for row in claim(stage)] == [3]

    finish(stage, first, outcome="failed", retry_seconds=300)
    assert [row["payload"]["number"] for row in claim(stage)] == [2]


def test_claim_limits_deliveries_in_flight_per_endpoint(stage):
    endpoint(stage)
    fan_out(stage, *(build_message(stage, number, key=f"k{number}") for number in range(20)))
    endpoint(stage, topics=["event.changed"])
    fan_out(stage, build_message(stage, 99, topic="event.changed"), at=NOW + timedelta(seconds=1))

    claimed = claim(stage, NOW + timedelta(seconds=2))

    assert len(claimed) == 9
    assert claimed[-1]["topic"] == "event.changed"
    assert claim(stage, NOW + timedelta(seconds=2)) == []


def test_failed_delivery_is_retried_when_due_and_fails_without_a_retry_time(stage):
    endpoint(stage)
    fan_out(stage, build_message(stage, 1))
    [claimed] = claim(stage)

    assert finish(stage, claimed, outcome="failed", status_code=500, error="status", retry_seconds=300)["failed"] == 1
    assert claim(stage, NOW + timedelta(seconds=299)) == []
    [again] = claim(stage, NOW + timedelta(seconds=300))
    assert finish(stage, again, outcome="failed", status_code=500)["given_up"] == 1

    [row] = deliveries(stage)
    assert (row["status"], row["attempts"], row["last_status_code"]) == ("failed", 2, 500)
    attempts = stage.db.execute("select number, status_code from messaging.webhook_attempts order by number").fetchall()
    assert attempts == [{"number": 1, "status_code": 500}, {"number": 2, "status_code": 500}]


def test_late_failure_does_not_change_a_delivered_delivery(stage):
    endpoint(stage)
    fan_out(stage, build_message(stage, 1))
    [first] = claim(stage)
    [second] = claim(stage, NOW + timedelta(seconds=90))

    assert finish(stage, first)["delivered"] == 1  # the first worker was only slow
    assert finish(stage, second, outcome="failed", retry_seconds=5) == {
        "delivered": 0, "failed": 0, "given_up": 0, "disabled": 0,
    }  # fmt: skip

    assert statuses(stage) == ["delivered"]
    assert claim(stage, NOW + timedelta(days=1)) == []


def test_repeated_results_change_nothing(stage):
    endpoint(stage)
    fan_out(stage, build_message(stage, 1))
    [claimed] = claim(stage)
    finish(stage, claimed, outcome="failed", retry_seconds=5)
    before = deliveries(stage)

    finish(stage, claimed, outcome="failed", retry_seconds=5)

    assert [row["attempts"] for row in deliveries(stage)] == [row["attempts"] for row in before] == [1]
    failures = stage.db.execute("select failures from messaging.webhook_endpoints").fetchone()
    assert failures == {"failures": 1}


def test_untried_attempt_is_not_counted(stage):
    endpoint(stage)
    fan_out(stage, build_message(stage, 1))
    [claimed] = claim(stage)

    finish(stage, claimed, outcome="untried")

    [again] = claim(stage)
    assert (again["attempt"], again["try"]) == (1, 1)
    assert stage.db.execute("select count(*) as n from messaging.webhook_attempts").fetchone() == {"n": 0}


def test_resent_delivery_keeps_its_id(stage):
    endpoint(stage)
    fan_out(stage, build_message(stage, 1))
    [claimed] = claim(stage)
    finish(stage, claimed)

    query = "select messaging.resend_webhook_delivery(delivery_id => %s, at => %s)"
    assert as_admin(stage, query, [claimed["id"], NOW]) == claimed["id"]

    [again] = claim(stage)
    assert (again["id"], again["attempt"], again["try"]) == (claimed["id"], 2, 1)
    with pytest.raises(psycopg.Error) as refusal:
        as_admin(stage, query, [uuid4(), NOW])
    assert routines.code_of(refusal.value) == "webhook_delivery_not_found"


def test_thousand_deliveries_are_claimed_and_finished_within_ten_seconds(stage):
    endpoint(stage)
    stage.db.execute(
        "select messaging.fan_out_webhooks(jsonb_agg(jsonb_build_object("
        " 'id', n, 'topic', 'booking.confirmed', 'key', 'k' || n %% 500, 'created_at', now(),"
        " 'payload', jsonb_build_object('organization_id', %s::text))), %s)"
        " from generate_series(1, 5000) as n",
        [stage.organization_id, NOW],
    )
    began = datetime.now(UTC)

    for _turn in range(20):
        claimed = claim(stage, most=64, per_endpoint=64)
        assert len(claimed) == 64
        finish(stage, *claimed)

    seconds = (datetime.now(UTC) - began).total_seconds()
    print(f"{20 * 64 / seconds:.0f} deliveries/s")
    assert seconds < 10
