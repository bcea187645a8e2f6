"""Runs the relay's handler in this process until the outbox is empty, and says how long it took."""

import time
from typing import Any

from bench.booking import processes
from bench.money.services import Queue
from bench.runs import Broken
from tests import gateway

QUEUES = ("messages", "relay", "deliver")


def carried(url: str, queue: Queue, *, rows: int) -> float:
    """Seconds in which a process of its own relays so many rows. Raises Broken where it were others."""
    names = {f"{name.upper()}_QUEUE_URL": f"{queue.endpoint}/123456789012/{name}" for name in QUEUES}
    return float(processes.ask(__name__, {"rows": rows}, DATABASE_URL=url, **queue.variables, **names))


def _work(question: dict[str, Any]) -> float:
    handler = gateway.load("relay-outbox").lambda_handler
    context = gateway.Context(function_name="relay-outbox")
    began = time.perf_counter()
    answer = handler({"job": "relay_outbox"}, context)
    seconds = time.perf_counter() - began
    if (answer["done"], answer["more"]) != (question["rows"], False):
        raise Broken(f"The relay answers {answer}")
    return seconds


if __name__ == "__main__":
    processes.answer(_work)
