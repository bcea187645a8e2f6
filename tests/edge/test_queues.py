"""Test queue messages: batches, retries of refused messages, and failures that leave other messages alone."""

import json
from typing import Any

import pytest
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError
from hypothesis import given
from hypothesis import strategies as st

from marquee.edge import queues
from marquee.edge.observability import logger
from tests.kit.gateway import Context

pytestmark = pytest.mark.usefixtures("sockets_off")


class Slice(queues.Message):
    """A trial message."""

    number: int
    padding: str = ""


class Queue:
    """A fake of SQS that refuses each listed body the given number of times."""

    def __init__(self, refusals: dict[str, int] | None = None) -> None:
        self.refusals = refusals or {}
        self.calls: list[list[dict[str, Any]]] = []
        self.taken: list[str] = []

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        self.calls.append(Entries)
        failed = []
        for entry in Entries:
            if self.refusals.get(entry["MessageBody"], 0) > 0:
                self.refusals[entry["MessageBody"]] -= 1
                failed.append({"Id": entry["Id"], "Code": "Throttled", "SenderFault": False})
            else:
                self.taken.append(entry["MessageBody"])
        return {"Failed": failed}


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr(queues.time, "sleep", lambda seconds: None)


def use(monkeypatch: pytest.MonkeyPatch, queue: Queue) -> Queue:
    """Send to this queue."""
    monkeypatch.setattr(queues, "_client", lambda: queue)
    return queue


def test_messages_are_sent_ten_per_call(monkeypatch):
    queue = use(monkeypatch, Queue())

    queues.send_batch("url", [Slice(number=n) for n in range(23)], delay_seconds=7)

    assert [len(call) for call in queue.calls] == [10, 10, 3]
    assert all(entry["DelaySeconds"] == 7 for call in queue.calls for entry in call)
    assert [json.loads(body)["number"] for body in queue.taken] == list(range(23))


@given(st.lists(st.integers(0, 200_000), max_size=40))
def test_call_never_exceeds_the_size_limit_of_sqs(lengths):
    entries = [queues._entry(n, Slice(number=n, padding="x" * length), 0) for n, length in enumerate(lengths)]

    calls = queues._calls(entries)

    assert [entry for call in calls for entry in call] == entries
    assert all(1 <= len(call) <= 10 for call in calls)
    assert all(sum(len(entry["MessageBody"]) for entry in call) <= 262_144 for call in calls)


def test_only_refused_messages_are_resent(monkeypatch):
    stubborn = Slice(number=1).model_dump_json()
    queue = use(monkeypatch, Queue({stubborn: 2}))

    queues.send_batch("url", [Slice(number=n) for n in range(3)])

    assert [len(call) for call in queue.calls] == [3, 1, 1]
    assert sorted(queue.taken) == [Slice(number=n).model_dump_json() for n in range(3)]


def test_message_refused_at_every_attempt_is_named_in_the_error(monkeypatch):
    stubborn = Slice(number=1)
    queue = use(monkeypatch, Queue({stubborn.model_dump_json(): 99}))

    with pytest.raises(queues.NotSent) as failure:
        queues.send_batch("url", [Slice(number=0), stubborn])

    assert (failure.value.messages, failure.value.code) == ([stubborn], "Throttled")
    assert len(queue.calls) == queues.ATTEMPTS_MAX


def test_message_carries_the_correlation_id(monkeypatch):
    queue = use(monkeypatch, Queue())
    logger.set_correlation_id("request-1")

    queues.send("url", Slice(number=1))

    assert queue.calls[0][0]["MessageAttributes"]["correlation_id"]["StringValue"] == "request-1"


def record(number: int, body: str, attempt: int = 1, correlation_id: str | None = None) -> dict[str, Any]:
    """Build a record as SQS passes it to Lambda."""
    attribute = {"stringValue": correlation_id, "dataType": "String", "stringListValues": [], "binaryListValues": []}
    return {
        "messageId": f"m{number}",
        "receiptHandle": "handle",
        "body": body,
        "attributes": {"ApproximateReceiveCount": str(attempt), "SentTimestamp": "0"},
        "messageAttributes": {"correlation_id": attribute} if correlation_id else {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:trial",
        "awsRegion": "eu-central-1",
    }


def test_handler_receives_the_typed_message_and_its_delivery():
    seen = []
    event = {"Records": [record(1, '{"number": 5}', attempt=3, correlation_id="request-1"), record(2, '{"number": 6}')]}

    answer = queues.receive(event, Context(), Slice, lambda message, delivery: seen.append((message, delivery)))

    assert answer == {"batchItemFailures": []}
    assert seen == [
        (Slice(number=5), queues.Delivery("m1", 3, "request-1")),
        (Slice(number=6), queues.Delivery("m2", 1, None)),
    ]


def test_failed_message_does_not_fail_its_batch():
    done = []

    def handle(message: Slice, delivery: queues.Delivery) -> None:
        if message.number == 2:
            raise LookupError("no such slice")
        done.append(message.number)

    event = {"Records": [record(n, Slice(number=n).model_dump_json()) for n in (1, 2, 3)]}

    assert queues.receive(event, Context(), Slice, handle) == {"batchItemFailures": [{"itemIdentifier": "m2"}]}
    assert done == [1, 3]


@pytest.mark.parametrize("body", ["", "{", '{"number": "x"}', '{"number": 1, "more": 2}', "null"])
def test_invalid_message_fails_alone(body):
    done = []
    event = {"Records": [record(1, body), record(2, '{"number": 2}')]}

    answer = queues.receive(event, Context(), Slice, lambda message, delivery: done.append(message.number))

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert done == [2]


def test_batch_without_a_success_raises():
    with pytest.raises(BatchProcessingError):
        queues.receive({"Records": [record(1, "{")]}, Context(), Slice, lambda message, delivery: None)


def test_content_of_a_failed_message_is_not_logged(caplog):
    event = {"Records": [record(1, '{"number": "hunter2"}'), record(2, '{"number": 2}')]}

    queues.receive(event, Context(), Slice, lambda message, delivery: None)

    assert "message_failed" in caplog.text
    assert "int_parsing" in caplog.text
    assert "hunter2" not in caplog.text
