"""After events are committed the worker is woken: soon, not for each request, and never at a request's expense."""

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
def waking():
    """The trigger of the handler, as in a new execution environment."""
    trigger = gateway.load("ingest")._worker
    trigger._fired_at = float("-inf")
    return trigger


@pytest.fixture
def sent(monkeypatch):
    """What is sent to the worker, with its delay."""
    messages = []
    monkeypatch.setenv("PROCESS_BATCH_QUEUE_URL", "https://queues.example.org/process-batch")

    def send(url, message, *, delay_seconds=0):
        messages.append((url.rpartition("/")[2], message.model_dump(), delay_seconds))

    monkeypatch.setattr(queues, "send", send)
    return messages


def test_the_worker_is_woken_once_in_two_seconds_by_a_clock_that_never_goes_back(waking, sent):
    message = ProcessBatch(reason="events")

    woken = [
        waking.fire(message, now_seconds=seconds)
        for seconds in (100.0, 100.1, 101.99, 102.0, 103.9, 104.0, 50.0, 110.0)
    ]

    assert woken == [True, False, False, True, False, True, False, True]
    assert sent == [("process-batch", {"reason": "events"}, 2)] * 4


def test_requests_one_after_another_send_one_message(db, stage, waking, sent):
    for number in range(5):
        assert post(stage, fire(f"item-{number}")).status == 200

    assert sent == [("process-batch", {"reason": "events"}, 2)]


def test_where_nothing_was_accepted_nobody_is_woken(db, stage, waking, sent):
    event = fire("dawn")
    post(stage, event)
    waking._fired_at = float("-inf")
    sent.clear()

    post(stage, event)
    post(stage, {})

    assert sent == []


def test_the_message_follows_the_commit(db, stage, waking, monkeypatch):
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
def test_a_queue_that_is_not_to_be_had_costs_no_request(db, stage, waking, monkeypatch, capsys, reason):
    from botocore.exceptions import EndpointConnectionError

    def fail(url, message, **_options):
        raise queues.NotSent([message], "x") if reason == "refused" else EndpointConnectionError(endpoint_url=url)

    monkeypatch.setattr(queues, "send", fail)
    monkeypatch.setenv("PROCESS_BATCH_QUEUE_URL", "" if reason == "unset" else "https://queues.example.org/q")

    assert post(stage, fire("dawn")).status == 200

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert [line["WorkerTriggerLost"] for line in lines if "WorkerTriggerLost" in line] == [[1]]
