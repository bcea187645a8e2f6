"""A process that runs the relay's handler until the outbox is empty, and returns the seconds."""

import time
from typing import Any

from bench.booking import processes
from bench.money.services import Queue
from bench.runs import MeasurementFailed
from tests.kit import gateway

QUEUES = ("messages", "relay", "deliver")


def relay(url: str, queue: Queue, *, rows: int) -> float:
    """Relay `rows` rows in a separate process and return the seconds. Raises MeasurementFailed for another number."""
    names = {f"{name.upper()}_QUEUE_URL": f"{queue.endpoint}/123456789012/{name}" for name in QUEUES}
    return float(processes.call(__name__, {"rows": rows}, DATABASE_URL=url, **queue.variables, **names))


def _work(question: dict[str, Any]) -> float:
    handler = gateway.load("relay-outbox").lambda_handler
    context = gateway.Context(function_name="relay-outbox")
    began = time.perf_counter()
    answer = handler({"job": "relay_outbox"}, context)
    seconds = time.perf_counter() - began
    if (answer["done"], answer["more"]) != (question["rows"], False):
        raise MeasurementFailed(f"The relay returned {answer} instead of {question['rows']} rows.")
    return seconds


if __name__ == "__main__":
    processes.serve(_work)
