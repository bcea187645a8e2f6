"""Run Stripe's stand-in for tests that pay: one process per worker, reset for each test, called with the SDK.

stripe.pay(payment_intent_id)
stripe.run()                       # runs everything that would happen with time
for event in stripe.events(): …    # oldest first, as in webhooks
"""

import json
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from marquee.edge.stripe import connect
from marquee.payments import signatures, stripe_calls
from tests.kit import gateway, money_invariants, routines
from tests.kit.paid_events import PaidEvent
from tests.kit.stripe_process import Process

KEY = "sk_test_0123456789abcdef"
SIGNING_SECRET = "whsec_of_the_tests"
PRICE = 4000
Json = dict[str, Any]


@dataclass(frozen=True)
class Stripe:
    """The stand-in: its API through the client of the functions, and its controls."""

    url: str

    @property
    def v1(self) -> Any:
        """Return the API."""
        return connect(SecretStr(KEY), base=self.url, retries_max=0).v1

    def control(self, path: str, method: str = "POST", **document: Any) -> Any:
        """Trigger an action that Stripe has no API for."""
        request = urllib.request.Request(
            f"{self.url}/_stand_in{path}",
            data=json.dumps(document).encode(),
            headers={"Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def pay(self, payment_intent_id: str, **how: Any) -> Json:
        """Pay as the customer, with payment_method="pm_card_visa" or another test card, or "twint"."""
        found: Json = self.control(f"/payment_intents/{payment_intent_id}/pay", **how)
        return found

    def run(self) -> None:
        """Run everything that would happen with time, such as settling and arriving refunds."""
        self.control("/run", all=True)

    def fail(self, kind: str, matches: str, times: int = 1) -> None:
        """Fail the next matching calls: rate_limit, lock_timeout, error, unavailable, drop_before, drop_after."""
        self.control("/faults", kind=kind, matches=matches, times=times)

    def events(self, *types: str) -> list[Json]:
        """List the events so far, oldest first, all or of some types."""
        listed = self.v1.events.list({"limit": 100})
        events = [stripe_calls.plain(event) for event in listed.auto_paging_iter()]
        return [event for event in reversed(events) if not types or event["type"] in types]


@pytest.fixture(scope="session")
def stand_in() -> Iterator[str]:
    """Start the worker's stand-in and return its URL."""
    process = Process(":memory:")
    yield process.url
    process.stop()


@pytest.fixture
def stripe(stand_in: str, monkeypatch: pytest.MonkeyPatch) -> Stripe:
    """Return an empty stand-in, and point the functions' environment to it."""
    monkeypatch.setenv("STRIPE_API_BASE", stand_in)
    monkeypatch.setenv("STRIPE_API_KEY", KEY)
    monkeypatch.setenv("STRIPE_SIGNING_SECRETS", SIGNING_SECRET)
    found = Stripe(stand_in)
    found.control("/reset")
    return found


def deliver(event: Json) -> gateway.Answer:
    """Send an event to functions/webhooks with Stripe's signature."""
    body = json.dumps(event).encode()
    header = signatures.header_of(body, [SIGNING_SECRET], now=time.time())
    return gateway.post("webhooks", "/webhooks/stripe", body.decode(), headers={"Stripe-Signature": header})


def settle() -> Json:
    """Run the sweep of payments."""
    done: Json = gateway.invoke("stripe-worker", {"job": "settle_payments"})
    return done


class StandinBookings(PaidEvent):
    """An event that costs 40.00, with customers who pay through Stripe."""

    def __init__(self, db: psycopg.Connection[Any], stripe: Stripe) -> None:
        super().__init__(db, PRICE, capacity=5)
        self.stripe = stripe

    def book(self, method: str = "card") -> Json:
        """Create a booking that waits for its payment and has no PaymentIntent at Stripe yet."""
        query = "select events.book(event_id => %s, payment_method => %s, idempotency_key => 'tap')::jsonb"
        booking: Json = routines.call(self.db, self.stage.customer(), query, [self.event_id, method])
        return booking

    def ask(self, booking: Json) -> str:
        """Create the booking's PaymentIntent at Stripe with the sweep, and return its id."""
        self.due_now()
        settle()
        stripe_id = self.stripe_id(booking)
        assert stripe_id is not None
        return stripe_id

    def due_now(self) -> None:
        """Make all payments and refunds due for the sweep."""
        self.db.execute("update payments.intents set available_at = now()")
        self.db.execute("update payments.refunds set available_at = now()")

    def stripe_id(self, booking: Json) -> str | None:
        """Return the PaymentIntent of a booking."""
        return self.db.execute(
            "select stripe_payment_intent_id as id from payments.intents where booking_id = %s", [booking["id"]]
        ).fetchone()["id"]

    def clearing(self) -> int:
        """Return the cents that Stripe holds for us according to the ledger."""
        return money_invariants.clearing_cents(self.db)

    def refund(self) -> Json:
        """Return the only refund."""
        return self.db.execute("select * from payments.refunds").fetchone()
