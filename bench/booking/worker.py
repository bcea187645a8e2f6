"""Books through the function's handler in this process, one booking after the other, and says how long it took.

Each booking is another customer's, with another idempotency key, from another address.
"""

import time
import uuid
from typing import Any

from bench import stage
from bench.booking import processes
from bench.runs import Broken
from tests.kit import gateway


def booked(url: str, *, bookings: int, first: int, events: int) -> float:
    """Seconds that a process of its own took for so many bookings, after a fifth as many to warm up.

    `first`: the number of the first customer. Raises Broken when a booking is refused.
    """
    question = {"bookings": bookings, "first": first, "events": events}
    return float(processes.ask(__name__, question, DATABASE_URL=url))


def customers_of(bookings: int) -> int:
    """How many customers so many bookings take, with those that warm up."""
    return bookings + bookings // 5


def _work(question: dict[str, Any]) -> float:
    customers = range(question["first"], question["first"] + customers_of(question["bookings"]))
    requests = [_request(customer, customer % question["events"]) for customer in customers]
    warm_up = len(requests) - question["bookings"]
    handler = gateway.load("book").lambda_handler
    context = gateway.Context(function_name="book")
    answers = [handler(request, context) for request in requests[:warm_up]]
    began = time.perf_counter()
    answers += [handler(request, context) for request in requests[warm_up:]]
    seconds = time.perf_counter() - began
    for answer in answers:
        if answer["statusCode"] != 201:
            raise Broken(f"{answer['statusCode']}: {answer['body']}")
    return seconds


def _request(customer: int, event: int) -> dict[str, Any]:
    return gateway.event(
        "POST",
        "/bookings",
        {"event_id": str(stage.event(event)), "seats": 1},
        caller=stage.customer(customer),
        key=str(uuid.uuid4()),
        address=f"198.18.{customer // 250 % 250}.{customer % 250 + 1}",
    )


if __name__ == "__main__":
    processes.answer(_work)
