"""SQS event sources: batches, partial failures, dead letters."""

import json
from typing import Any
from uuid import uuid4

import pytest

from local import queues
from local.resources import Source
from local.runtime import Failure
from tests.kit.local_stack import LocalStack


def test_messages_arrive_in_batches_with_their_attributes(stack: LocalStack) -> None:
    bodies = [f"good {uuid4()}" for _ in range(4)]

    _invoke(stack, {"send": bodies})
    records = stack.wait(lambda: _all_of(stack, bodies))

    assert len({record["batch"] for record in records}) < 4, "the window collects messages into batches"
    assert all(record["eventSource"] == "aws:sqs" for record in records)
    assert all(record["eventSourceARN"].endswith(":sample-WorkQueue") for record in records)
    assert records[0]["messageAttributes"]["kind"] == {
        "stringValue": "trial",
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": "String",
    }
    assert records[0]["attributes"]["ApproximateReceiveCount"] == "1"


def test_failed_message_is_retried_alone_and_becomes_a_dead_letter(stack: LocalStack) -> None:
    good, bad = [f"good {uuid4()}" for _ in range(2)], f"bad {uuid4()}"

    _invoke(stack, {"send": [*good, bad]})
    dead: list[str] = []
    stack.wait(lambda: dead.extend(_invoke(stack, {"dead": True})) or bad in dead)

    attempts = [record["body"] for record in _received(stack)]
    assert [attempts.count(body) for body in good] == [1, 1]
    assert attempts.count(bad) == 2, "maxReceiveCount is 2"
    assert "1 failed" in stack.output


@pytest.mark.parametrize(
    ("result", "failed"),
    [
        ({"batchItemFailures": [{"itemIdentifier": "b"}]}, {"b"}),
        ({"batchItemFailures": []}, set()),
        ({"batchItemFailures": None}, set()),
        ({}, set()),
        (None, set()),
        ({"batchItemFailures": [{"itemIdentifier": "nobody"}]}, {"a", "b"}),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, {"a", "b"}),
        ({"batchItemFailures": [{}]}, {"a", "b"}),
        ({"batchItemFailures": "b"}, {"a", "b"}),
        ("nonsense", {"a", "b"}),
    ],
)
def test_malformed_or_unknown_failures_fail_the_whole_batch(result: Any, failed: set[str]) -> None:
    source = Source("Source", "Work", "arn:q", 10, 0, partial_failures=True, concurrency_max=None)

    assert queues.failed_messages(json.dumps(result).encode(), {"a", "b"}, source) == failed


def test_source_without_partial_failures_fails_the_batch_only_on_an_error() -> None:
    source = Source("Source", "Work", "arn:q", 10, 0, partial_failures=False, concurrency_max=None)

    assert queues.failed_messages(Failure("E", "m"), {"a"}, source) == {"a"}
    assert queues.failed_messages(b'{"batchItemFailures": [{"itemIdentifier": "a"}]}', {"a"}, source) == set()


def _invoke(stack: LocalStack, event: Any) -> Any:
    answer = stack.request("POST", "/.local/functions/work", json.dumps(event), X_Local_Stack="1")
    return answer.json["payload"]


def _received(stack: LocalStack) -> list[dict[str, Any]]:
    return [{**record, "batch": n} for n, batch in enumerate(stack.noted("worked.jsonl")) for record in batch]


def _all_of(stack: LocalStack, bodies: list[str]) -> list[dict[str, Any]] | None:
    found = [record for record in _received(stack) if record["body"] in bodies]
    return found if len(found) == len(bodies) else None
