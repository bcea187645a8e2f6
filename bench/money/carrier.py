"""Runs the relay's handler in this process until the outbox is empty, and says how long it took.

The queues are pretended by moto within the same process, so that its work counts as the relay's.
"""

import time
from typing import Any

import boto3
from moto import mock_aws

from bench.booking import processes
from bench.running import Broken
from tests import gateway

REGION = "eu-central-1"
QUEUES = ("messages", "relay", "deliver")


def carried(url: str, *, rows: int) -> float:
    """Seconds in which a process of its own relays so many rows. Raises Broken where other than those came through."""
    names = {f"{name.upper()}_QUEUE_URL": f"https://sqs.{REGION}.amazonaws.com/123456789012/{name}" for name in QUEUES}
    return float(
        processes.ask(
            __name__,
            {"rows": rows},
            DATABASE_URL=url,
            AWS_DEFAULT_REGION=REGION,
            AWS_ACCESS_KEY_ID="bench",
            AWS_SECRET_ACCESS_KEY="bench",
            **names,
        )
    )


@mock_aws
def _work(question: dict[str, Any]) -> float:
    queues = boto3.client("sqs", region_name=REGION)
    for name in QUEUES:
        queues.create_queue(QueueName=name)
    handler = gateway.load("relay").lambda_handler
    context = gateway.Context(function_name="relay")
    began = time.perf_counter()
    answer = handler({"job": "relay_outbox"}, context)
    seconds = time.perf_counter() - began
    if (answer["done"], answer["more"]) != (question["rows"], False):
        raise Broken(f"The relay answers {answer}")
    return seconds


if __name__ == "__main__":
    processes.answer(_work)
