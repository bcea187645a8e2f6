"""Sends events of Stripe to the handler of functions/webhooks in this process, and says how long each took."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.barrier import meet
from bench.booking import processes as work
from bench.booking.worker import customers_of
from bench.runs import Broken
from marquee.payments import signatures
from tests.kit import gateway

SECRET = "whsec_of_the_benchmark"


@dataclass(frozen=True, slots=True)
class Sent:
    """What one process sent: milliseconds of each request, from when to when (by time.monotonic, which all share)."""

    milliseconds: list[float]
    began: float
    ended: float


def sent(
    environment: dict[str, str], *, event: dict[str, Any], requests: int, first: int, folder: Path, processes: int
) -> Sent:
    """Have a process of its own send so many events like this one, each new, and a fifth as many before to warm up.

    `first`: the number of its first event; it begins to measure when so many `processes` have said in `folder` that
    they are ready. Raises Broken when an event is not taken, or the others do not come.
    """
    question = {
        "event": event,
        "requests": requests,
        "first": first,
        "folder": str(folder),
        "processes": processes,
    }
    return Sent(**work.ask(__name__, question, STRIPE_SIGNING_SECRETS=SECRET, **environment))


def _work(question: dict[str, Any]) -> dict[str, Any]:
    numbers = range(question["first"], question["first"] + customers_of(question["requests"]))
    requests = [_request(question["event"], number) for number in numbers]
    warm_up = len(requests) - question["requests"]
    handler = gateway.load("webhooks").lambda_handler
    context = gateway.Context(function_name="webhooks")
    answers = [handler(request, context) for request in requests[:warm_up]]
    meet(Path(question["folder"]), question["first"], question["processes"])
    began, taken = time.monotonic(), []
    for request in requests[warm_up:]:
        start = time.perf_counter()
        answers.append(handler(request, context))
        taken.append((time.perf_counter() - start) * 1000)
    ended = time.monotonic()
    for answer in answers:
        if answer["statusCode"] != 200 or json.loads(answer["body"])["duplicate"]:
            raise Broken(f"{answer['statusCode']}: {answer['body']}")
    return {"milliseconds": taken, "began": began, "ended": ended}


def _request(event: dict[str, Any], number: int) -> dict[str, Any]:
    """A request as API Gateway hands it on, signed as Stripe does."""
    body = json.dumps({**event, "id": f"evt_{number:024}"}, indent=2)
    signature = signatures.header_of(body.encode(), [SECRET], now=time.time())
    headers = {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": signature}
    return gateway.event("POST", "/webhooks/stripe", body, headers=headers)


if __name__ == "__main__":
    work.answer(_work)
