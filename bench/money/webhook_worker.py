"""A process that sends Stripe events to the handler of functions/webhooks, and returns the milliseconds of each."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import barrier
from bench.booking import processes as work
from bench.booking.booking_worker import customers_needed
from bench.runs import MeasurementFailed
from marquee.payments import signatures
from tests.kit import gateway

SECRET = "whsec_of_the_benchmark"


@dataclass(frozen=True, slots=True)
class Sent:
    """The requests of one process: the milliseconds of each, and the start and end by the shared time.monotonic."""

    milliseconds: list[float]
    began: float
    ended: float


def send(
    environment: dict[str, str], *, event: dict[str, Any], requests: int, first: int, folder: Path, processes: int
) -> Sent:
    """Send copies of an event, each with a new id, from a separate process, after a fifth as many to warm up.

    `first` is the number of its first event. It starts to measure when all `processes` are ready (bench/barrier.py).
    Raises MeasurementFailed when an event is not accepted, or when another process is not ready in time.
    """
    question = {
        "event": event,
        "requests": requests,
        "first": first,
        "folder": str(folder),
        "processes": processes,
    }
    return Sent(**work.call(__name__, question, STRIPE_SIGNING_SECRETS=SECRET, **environment))


def _work(question: dict[str, Any]) -> dict[str, Any]:
    numbers = range(question["first"], question["first"] + customers_needed(question["requests"]))
    requests = [_request(question["event"], number) for number in numbers]
    warm_up = len(requests) - question["requests"]
    handler = gateway.load("webhooks").lambda_handler
    context = gateway.Context(function_name="webhooks")
    answers = [handler(request, context) for request in requests[:warm_up]]
    barrier.wait(Path(question["folder"]), question["first"], question["processes"])
    began, taken = time.monotonic(), []
    for request in requests[warm_up:]:
        start = time.perf_counter()
        answers.append(handler(request, context))
        taken.append((time.perf_counter() - start) * 1000)
    ended = time.monotonic()
    for answer in answers:
        if answer["statusCode"] != 200 or json.loads(answer["body"])["duplicate"]:
            raise MeasurementFailed(f"{answer['statusCode']}: {answer['body']}")
    return {"milliseconds": taken, "began": began, "ended": ended}


def _request(event: dict[str, Any], number: int) -> dict[str, Any]:
    """Return a request as API Gateway passes it on, with a signature like Stripe's."""
    body = json.dumps({**event, "id": f"evt_{number:024}"}, indent=2)
    signature = signatures.header_of(body.encode(), [SECRET], now=time.time())
    headers = {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": signature}
    return gateway.event("POST", "/webhooks/stripe", body, headers=headers)


if __name__ == "__main__":
    work.serve(_work)
