"""functions/relay: the outbox reaches its queue within seconds, and ticks keep it going."""

from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from marquee.edge import queues
from tests import gateway
from tests.functions.aws import record

SCHEDULE = {"job": "relay_outbox"}


def say(db, *keys, topic="booking.confirmed"):
    for key in keys:
        db.execute(
            "insert into public.outbox (topic, key, payload) values (%s, %s, %s::jsonb)",
            [topic, key, '{"booking_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a", "seats": 2}'],
        )


def told(aws):
    """What arrived in the queue, bundles opened."""
    return [each for bundle in aws.received(aws.messages_queue) for each in bundle["happenings"]]


def outbox(db):
    return db.execute(
        "select count(*) as rows, count(relayed_at) as relayed, count(parked_at) as parked from public.outbox"
    ).fetchone()


def test_what_is_in_the_outbox_reaches_the_queue_whole_and_in_order(db, aws):
    say(db, "a", "b", "a")
    db.execute("update public.outbox set correlation_id = 'request-1'")

    answer = gateway.invoke("relay", SCHEDULE)

    assert (answer["job"], answer["done"]) == ("relay_outbox", 3)
    messages = told(aws)
    assert [message["key"] for message in messages] == ["a", "b", "a"]
    assert messages[0] == {
        "id": messages[0]["id"],
        "topic": "booking.confirmed",
        "key": "a",
        "payload": {"booking_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a", "seats": 2},
        "created_at": messages[0]["created_at"],
        "correlation_id": "request-1",
    }
    assert outbox(db) == {"rows": 3, "relayed": 3, "parked": 0}


def test_the_scheduled_run_asks_for_a_tick_every_ten_seconds_until_the_next_one_has_surely_begun(db, aws, monkeypatch):
    asked = []
    monkeypatch.setattr(queues, "send", lambda url, message, *, delay_seconds=0: asked.append((url, delay_seconds)))

    gateway.invoke("relay", SCHEDULE)

    assert asked == [(aws.relay_queue, seconds) for seconds in range(10, 111, 10)]


def test_a_tick_relays_and_asks_for_nothing_more(db, aws):
    say(db, "a")

    assert gateway.invoke("relay", {"Records": [record({"after_seconds": 10})]}) == {"batchItemFailures": []}

    assert outbox(db)["relayed"] == 1
    assert aws.received(aws.relay_queue) == []


def test_a_run_that_has_no_time_for_all_continues_at_once_by_a_message(db, aws):
    db.execute(
        "insert into public.outbox (topic, key, payload)"
        " select 'booking.confirmed', 'k' || number % 7, '{}' from generate_series(1, 1200) as number"
    )
    context = gateway.Context(milliseconds_left=5000)  # less than the reserve: one batch

    gateway.invoke("relay", {"Records": [record({"after_seconds": 10})]}, context)

    assert outbox(db)["relayed"] == 500
    ticks = aws.received(aws.relay_queue)
    assert ticks == [{"after_seconds": 0}]
    for _run in range(2):
        gateway.invoke("relay", {"Records": [record(ticks[0])]}, context)
    assert outbox(db)["relayed"] == 1200


def test_an_unknown_topic_is_parked_and_the_others_go_out(db, aws):
    say(db, "a", topic="booking.teleported")
    say(db, "a")

    gateway.invoke("relay", SCHEDULE)

    assert outbox(db) == {"rows": 2, "relayed": 1, "parked": 1}
    assert [message["topic"] for message in told(aws)] == ["booking.confirmed"]


def test_messages_that_the_queue_does_not_take_are_tried_again_later(db, aws, monkeypatch):
    say(db, "a", "b")

    def refuse(QueueUrl, Entries):
        return {"Failed": [{"Id": entry["Id"], "Code": "InternalError", "SenderFault": False} for entry in Entries]}

    monkeypatch.setattr(queues._client(), "send_message_batch", refuse)
    monkeypatch.setattr(queues, "PAUSE_SECONDS", 0)
    gateway.invoke("relay", {"Records": [record({"after_seconds": 10})]})

    assert told(aws) == []
    rows = db.execute("select attempts, last_error, available_at - now() as pause from public.outbox").fetchall()
    assert [(row["attempts"], row["last_error"]) for row in rows] == [(1, "InternalError")] * 2
    assert all(timedelta(seconds=5) < row["pause"] <= timedelta(seconds=10) for row in rows)


def test_a_queue_that_is_gone_is_a_fault_and_loses_nothing(db, aws):
    say(db, "a")
    aws.sqs.delete_queue(QueueUrl=aws.messages_queue)

    with pytest.raises(ClientError, match="NonExistentQueue"):
        gateway.invoke("relay", SCHEDULE)

    assert db.execute("select attempts, relayed_at, lease_until from public.outbox").fetchone() == {
        "attempts": 0,
        "relayed_at": None,
        "lease_until": None,
    }
    run = db.execute("select succeeded, error from ops.job_runs where job = 'relay_outbox'").fetchone()
    assert run["succeeded"] is False
    assert "NonExistentQueue" in run["error"]


def test_a_run_is_written_down(db, aws):
    gateway.invoke("relay", SCHEDULE)

    run = db.execute("select job, succeeded, result, finished_at >= started_at as ended from ops.job_runs").fetchone()
    assert (run["job"], run["succeeded"], run["ended"]) == ("relay_outbox", True, True)
    assert run["result"]["job"] == "relay_outbox"


def test_one_run_relays_batch_after_batch_until_nothing_is_left(db, aws):
    db.execute(
        "insert into public.outbox (topic, key, payload)"
        " select 'booking.confirmed', 'k' || number % 300, '{}' from generate_series(1, 2000) as number"
    )

    gateway.invoke("relay", {"Records": [record({"after_seconds": 10})]})

    assert outbox(db)["relayed"] == 2000
