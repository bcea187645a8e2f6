"""A process that books through the handler of functions/book, one booking after the other, and returns the seconds.

Each booking has its own customer, idempotency key and address.
"""

import time
import uuid
from typing import Any

from bench import databases
from bench.booking import processes
from bench.runs import MeasurementFailed
from tests.kit import gateway


def book(url: str, *, bookings: int, first: int, events: int) -> float:
    """Return the seconds of these bookings in a separate process, after a fifth as many to warm up.

    `first` is the number of the first customer. Raises MeasurementFailed when a booking is refused.
    """
    question = {"bookings": bookings, "first": first, "events": events}
    return float(processes.call(__name__, question, DATABASE_URL=url))


def customers_needed(bookings: int) -> int:
    """Return how many customers these bookings need, including the warm-up."""
    return bookings + bookings // 5


def _work(question: dict[str, Any]) -> float:
    customers = range(question["first"], question["first"] + customers_needed(question["bookings"]))
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
            raise MeasurementFailed(f"{answer['statusCode']}: {answer['body']}")
    return seconds


def _request(customer: int, event: int) -> dict[str, Any]:
    return gateway.event(
        "POST",
        "/bookings",
        {"event_id": str(databases.event_id(event)), "seats": 1},
        caller=databases.customer_id(customer),
        key=str(uuid.uuid4()),
        address=f"198.18.{customer // 250 % 250}.{customer % 250 + 1}",
    )


if __name__ == "__main__":
    processes.serve(_work)
