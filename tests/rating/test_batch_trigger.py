"""Committed events trigger the worker: soon, not for each request, and without ever failing a request."""

import json

import pytest

from marquee.edge import queues
from marquee.rating.messages import ProcessBatch
from tests.kit import gateway, stages
from tests.kit.rating_requests import fire, post


@pytest.fixture
def stage(db, aws):
    return stages.create(db)


@pytest.fixture
def trigger():
    """Return the handler's trigger, as in a new execution environment."""
    trigger = gateway.load("ingest")._worker
    trigger._fired_at = float("-inf")
    return trigger


@pytest.fixture
def sent(monkeypatch):
    """Return the messages that are sent to the worker, each with its delay."""
    messages = []
    monkeypatch.setenv("PROCESS_BATCH_QUEUE_URL", "https://queues.example.org/process-batch")

    def send(url, message, *, delay_seconds=0):
        messages.append((url.rpartition("/")[2], message.model_dump(), delay_seconds))

    monkeypatch.setattr(queues, "send", send)
    return messages


def test_trigger_sends_at_most_one_message_in_two_seconds(trigger, sent):
    message = ProcessBatch(reason="events")

    woken = [
        trigger.fire(message, now_seconds=seconds)
        for seconds in (100.0, 100.1, 101.99, 102.0, 103.9, 104.0, 50.0, 110.0)
    ]

    assert woken == [True, False, False, True, False, True, False, True]
    assert sent == [("process-batch", {"reason": "events"}, 2)] * 4


def test_trigger_sends_one_message_for_a_burst_of_requests(db, stage, trigger, sent):
    for number in range(5):
        assert post(stage, fire(f"item-{number}")).status == 200

    assert sent == [("process-batch", {"reason": "events"}, 2)]


def test_trigger_sends_no_message_when_no_event_was_accepted(db, stage, trigger, sent):
    event = fire("dawn")
    post(stage, event)
    trigger._fired_at = float("-inf")
    sent.clear()

    post(stage, event)
    post(stage, {})

    assert sent == []


def test_trigger_sends_its_message_after_the_commit(db, stage, trigger, monkeypatch):
    seen = []
    monkeypatch.setenv("PROCESS_BATCH_QUEUE_URL", "https://queues.example.org/process-batch")
    monkeypatch.setattr(
        queues,
        "send",
        lambda *_args, **_options: seen.append(db.execute("select count(*) as n from rating.inbox").fetchone()["n"]),
    )

    post(stage, fire("dawn"))

    assert seen == [1]


@pytest.mark.parametrize("reason", ["refused", "unreachable", "unset"])
def test_unavailable_queue_does_not_fail_the_request(db, stage, trigger, monkeypatch, capsys, reason):
    from botocore.exceptions import EndpointConnectionError

    def fail(url, message, **_options):
        raise queues.NotSent([message], "x") if reason == "refused" else EndpointConnectionError(endpoint_url=url)

    monkeypatch.setattr(queues, "send", fail)
    monkeypatch.setenv("PROCESS_BATCH_QUEUE_URL", "" if reason == "unset" else "https://queues.example.org/q")

    assert post(stage, fire("dawn")).status == 200

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert [line["WorkerTriggerLost"] for line in lines if "WorkerTriggerLost" in line] == [[1]]
