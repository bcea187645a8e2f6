"""Books by card through the function's handler in this process, one after the other, and says how long each took.

Or only has Stripe make PaymentIntents, by the same client: what such a booking takes at least.
"""

import json
import os
import time
import uuid
from typing import Any

from pydantic import SecretStr

from bench import stage
from bench.booking import processes
from bench.booking.worker import customers_of
from bench.money import services
from bench.runs import Broken
from marquee.edge.stripe import connect
from tests import gateway

PRICE_CENTS = 4000


def bought(url: str, stripe: str, *, bookings: int, first: int, events: int) -> list[float]:
    """Milliseconds of each of so many bookings in a process of its own, after a fifth as many to warm up.

    `stripe`: the address of the stand-in; `first`: the number of the first customer. Raises Broken when a booking is
    refused, or has nothing that could be paid.
    """
    question = {"bookings": bookings, "first": first, "events": events}
    return _ask(question, DATABASE_URL=url, STRIPE_API_BASE=stripe)


def asked(stripe: str, *, intents: int) -> list[float]:
    """Milliseconds that the stand-in took for each of so many PaymentIntents, after a fifth as many to warm up."""
    return _ask({"intents": intents}, STRIPE_API_BASE=stripe)


def _ask(question: dict[str, Any], **variables: str) -> list[float]:
    taken: list[float] = processes.ask(__name__, question, STRIPE_API_KEY=services.STRIPE_KEY, **variables)
    return taken


def _work(question: dict[str, Any]) -> list[float]:
    return _make_intents(question["intents"]) if "intents" in question else _book(question)


def _make_intents(number: int) -> list[float]:
    client = connect(SecretStr(services.STRIPE_KEY), base=os.environ["STRIPE_API_BASE"])
    taken = []
    for _ in range(customers_of(number)):
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
    customers = range(question["first"], question["first"] + customers_of(question["bookings"]))
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
            raise Broken(f"{answer['statusCode']}: {answer['body']}")
    return taken[-question["bookings"] :]


def _request(customer: int, event: int) -> dict[str, Any]:
    return gateway.event(
        "POST",
        "/bookings",
        {"event_id": str(stage.event(event)), "seats": 1, "payment_method": "card"},
        caller=stage.customer(customer),
        key=str(uuid.uuid4()),
        address=f"198.18.{customer // 250 % 250}.{customer % 250 + 1}",
    )


if __name__ == "__main__":
    processes.answer(_work)
