"""A process that books by card through the handler of functions/book, and returns the milliseconds of each booking.

Or it only creates PaymentIntents by the same Stripe client, which is the least time that such a booking needs.
"""

import json
import os
import time
import uuid
from typing import Any

from pydantic import SecretStr

from bench import databases
from bench.booking import processes
from bench.booking.booking_worker import customers_needed
from bench.money import services
from bench.runs import MeasurementFailed
from marquee.edge.stripe import connect
from tests.kit import gateway

PRICE_CENTS = 4000


def book(url: str, stripe: str, *, bookings: int, first: int, events: int) -> list[float]:
    """Return the milliseconds of each booking in a separate process, after a fifth as many to warm up.

    `stripe` is the address of the stand-in, `first` the number of the first customer. Raises MeasurementFailed when a
    booking is refused or has no client secret to pay with.
    """
    question = {"bookings": bookings, "first": first, "events": events}
    return _call(question, DATABASE_URL=url, STRIPE_API_BASE=stripe)


def create_intents(stripe: str, *, intents: int) -> list[float]:
    """Return the milliseconds of each PaymentIntent at the stand-in, after a fifth as many to warm up."""
    return _call({"intents": intents}, STRIPE_API_BASE=stripe)


def _call(question: dict[str, Any], **variables: str) -> list[float]:
    taken: list[float] = processes.call(__name__, question, STRIPE_API_KEY=services.STRIPE_KEY, **variables)
    return taken


def _work(question: dict[str, Any]) -> list[float]:
    return _create_intents(question["intents"]) if "intents" in question else _book(question)


def _create_intents(number: int) -> list[float]:
    client = connect(SecretStr(services.STRIPE_KEY), base=os.environ["STRIPE_API_BASE"])
    taken = []
    for _ in range(customers_needed(number)):
        began = time.perf_counter()
        key = str(uuid.uuid4())
        client.v1.payment_intents.create(
            {
                "amount": PRICE_CENTS,
                "currency": "chf",
                "allowed_payment_method_types": ["card"],
                "metadata": {"intent_id": key, "booking_id": key},
                "transfer_group": key,
            },
            {"idempotency_key": key},
        )
        taken.append((time.perf_counter() - began) * 1000)
    return taken[-number:]


def _book(question: dict[str, Any]) -> list[float]:
    customers = range(question["first"], question["first"] + customers_needed(question["bookings"]))
    requests = [_request(customer, customer % question["events"]) for customer in customers]
    handler = gateway.load("book").lambda_handler
    context = gateway.Context(function_name="book")
    answers, taken = [], []
    for request in requests:
        began = time.perf_counter()
        answers.append(handler(request, context))
        taken.append((time.perf_counter() - began) * 1000)
    for answer in answers:
        if answer["statusCode"] != 201 or json.loads(answer["body"])["payment"]["client_secret"] is None:
            raise MeasurementFailed(f"{answer['statusCode']}: {answer['body']}")
    return taken[-question["bookings"] :]


def _request(customer: int, event: int) -> dict[str, Any]:
    return gateway.event(
        "POST",
        "/bookings",
        {"event_id": str(databases.event_id(event)), "seats": 1, "payment_method": "card"},
        caller=databases.customer_id(customer),
        key=str(uuid.uuid4()),
        address=f"198.18.{customer // 250 % 250}.{customer % 250 + 1}",
    )


if __name__ == "__main__":
    processes.serve(_work)
