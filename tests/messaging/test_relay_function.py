"""functions/relay-outbox: messages reach the queue within seconds, by scheduled runs and the ticks between them."""

from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from marquee.edge import queues
from tests.kit import gateway
from tests.kit.aws import record

SCHEDULE = {"job": "relay_outbox"}


def insert_messages(db, *keys, topic="booking.confirmed"):
    for key in keys:
        db.execute(
            "insert into public.outbox (topic, key, payload) values (%s, %s, %s::jsonb)",
            [topic, key, '{"booking_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a", "seats": 2}'],
        )


def queued_messages(aws):
    """Return the messages of all bundles in the queue."""
    return [each for bundle in aws.received(aws.messages_queue) for each in bundle["happenings"]]


def outbox(db):
    return db.execute(
        "select count(*) as rows, count(relayed_at) as relayed, count(parked_at) as parked from public.outbox"
    ).fetchone()


def test_outbox_rows_reach_the_queue_complete_and_in_order(db, aws):
    insert_messages(db, "a", "b", "a")
    db.execute("update public.outbox set correlation_id = 'request-1'")

    answer = gateway.invoke("relay-outbox", SCHEDULE)

    assert (answer["job"], answer["done"]) == ("relay_outbox", 3)
    messages = queued_messages(aws)
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


def test_scheduled_run_queues_a_tick_every_ten_seconds_for_two_minutes(db, aws, monkeypatch):
    asked = []
    monkeypatch.setattr(queues, "send", lambda url, message, *, delay_seconds=0: asked.append((url, delay_seconds)))

    gateway.invoke("relay-outbox", SCHEDULE)

    assert asked == [(aws.relay_queue, seconds) for seconds in range(10, 111, 10)]


def test_tick_relays_and_queues_no_further_tick(db, aws):
    insert_messages(db, "a")

    assert gateway.invoke("relay-outbox", {"Records": [record({"after_seconds": 10})]}) == {"batchItemFailures": []}

    assert outbox(db)["relayed"] == 1
    assert aws.received(aws.relay_queue) == []


def test_run_out_of_time_queues_an_immediate_tick(db, aws):
    db.execute(
        "insert into public.outbox (topic, key, payload)"
        " select 'booking.confirmed', 'k' || number % 7, '{}' from generate_series(1, 1200) as number"
    )
    context = gateway.Context(milliseconds_left=5000)  # less than the reserve, so the run sends one batch

    gateway.invoke("relay-outbox", {"Records": [record({"after_seconds": 10})]}, context)

    assert outbox(db)["relayed"] == 500
    ticks = aws.received(aws.relay_queue)
    assert ticks == [{"after_seconds": 0}]
    for _run in range(2):
        gateway.invoke("relay-outbox", {"Records": [record(ticks[0])]}, context)
    assert outbox(db)["relayed"] == 1200


def test_unknown_topic_is_parked_and_the_others_are_sent(db, aws):
    insert_messages(db, "a", topic="booking.teleported")
    insert_messages(db, "a")

    gateway.invoke("relay-outbox", SCHEDULE)

    assert outbox(db) == {"rows": 2, "relayed": 1, "parked": 1}
    assert [message["topic"] for message in queued_messages(aws)] == ["booking.confirmed"]


def test_messages_refused_by_the_queue_are_retried_later(db, aws, monkeypatch):
    insert_messages(db, "a", "b")

    def refuse(QueueUrl, Entries):
        return {"Failed": [{"Id": entry["Id"], "Code": "InternalError", "SenderFault": False} for entry in Entries]}

    monkeypatch.setattr(queues._client(), "send_message_batch", refuse)
    monkeypatch.setattr(queues, "PAUSE_SECONDS", 0)
    gateway.invoke("relay-outbox", {"Records": [record({"after_seconds": 10})]})

    assert queued_messages(aws) == []
    rows = db.execute("select attempts, last_error, available_at - now() as pause from public.outbox").fetchall()
    assert [(row["attempts"], row["last_error"]) for row in rows] == [(1, "InternalError")] * 2
    assert all(timedelta(seconds=5) < row["pause"] <= timedelta(seconds=10) for row in rows)


def test_missing_queue_fails_the_run_and_loses_no_message(db, aws):
    insert_messages(db, "a")
    aws.sqs.delete_queue(QueueUrl=aws.messages_queue)

    with pytest.raises(ClientError, match="NonExistentQueue"):
        gateway.invoke("relay-outbox", SCHEDULE)

    assert db.execute("select attempts, relayed_at, lease_until from public.outbox").fetchone() == {
        "attempts": 0,
        "relayed_at": None,
        "lease_until": None,
    }
    run = db.execute("select succeeded, error from ops.job_runs where job = 'relay_outbox'").fetchone()
    assert run["succeeded"] is False
    assert "NonExistentQueue" in run["error"]


def test_run_is_recorded(db, aws):
    gateway.invoke("relay-outbox", SCHEDULE)

    run = db.execute("select job, succeeded, result, finished_at >= started_at as ended from ops.job_runs").fetchone()
    assert (run["job"], run["succeeded"], run["ended"]) == ("relay_outbox", True, True)
    assert run["result"]["job"] == "relay_outbox"


def test_run_relays_batches_until_the_outbox_is_empty(db, aws):
    db.execute(
        "insert into public.outbox (topic, key, payload)"
        " select 'booking.confirmed', 'k' || number % 300, '{}' from generate_series(1, 2000) as number"
    )

    gateway.invoke("relay-outbox", {"Records": [record({"after_seconds": 10})]})

    assert outbox(db)["relayed"] == 2000
