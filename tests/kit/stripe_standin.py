"""Stripe's stand-in for tests that pay: a process of its own per worker, emptied for each test, spoken to by the SDK.

stripe.pay(payment_intent_id)
stripe.run()                       # everything happens that would happen by itself
for event in stripe.events(): …    # oldest first, as webhooks have them
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
    """The stand-in: its API by the client that the functions use, and its controls."""

    url: str

    @property
    def v1(self) -> Any:
        """The API."""
        return connect(SecretStr(KEY), base=self.url, retries_max=0).v1

    def control(self, path: str, method: str = "POST", **document: Any) -> Any:
        """Have something happen that Stripe has no API for."""
        request = urllib.request.Request(
            f"{self.url}/_stand_in{path}",
            data=json.dumps(document).encode(),
            headers={"Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def pay(self, payment_intent_id: str, **how: Any) -> Json:
        """The customer pays: payment_method="pm_card_visa" or another test card, or "twint"."""
        found: Json = self.control(f"/payment_intents/{payment_intent_id}/pay", **how)
        return found

    def run(self) -> None:
        """Have everything happen that would happen by itself: settling, refunds that arrive, and so on."""
        self.control("/run", all=True)

    def fail(self, kind: str, matches: str, times: int = 1) -> None:
        """Have the next calls that fit fail: rate_limit, lock_timeout, error, unavailable, drop_before, drop_after."""
        self.control("/faults", kind=kind, matches=matches, times=times)

    def events(self, *types: str) -> list[Json]:
        """The events so far, oldest first, all or of some types."""
        listed = self.v1.events.list({"limit": 100})
        events = [stripe_calls.plain(event) for event in listed.auto_paging_iter()]
        return [event for event in reversed(events) if not types or event["type"] in types]


@pytest.fixture(scope="session")
def stand_in() -> Iterator[str]:
    """The address of the worker's stand-in."""
    process = Process(":memory:")
    yield process.url
    process.stop()


@pytest.fixture
def stripe(stand_in: str, monkeypatch: pytest.MonkeyPatch) -> Stripe:
    """An empty stand-in, to which the functions' environment leads."""
    monkeypatch.setenv("STRIPE_API_BASE", stand_in)
    monkeypatch.setenv("STRIPE_API_KEY", KEY)
    monkeypatch.setenv("STRIPE_SIGNING_SECRETS", SIGNING_SECRET)
    found = Stripe(stand_in)
    found.control("/reset")
    return found


def deliver(event: Json) -> gateway.Answer:
    """Send an event to functions/webhooks, signed as Stripe would."""
    body = json.dumps(event).encode()
    header = signatures.header_of(body, [SIGNING_SECRET], now=time.time())
    return gateway.post("webhooks", "/webhooks/stripe", body.decode(), headers={"Stripe-Signature": header})


def settle() -> Json:
    """The sweep of payments runs."""
    done: Json = gateway.invoke("stripe-worker", {"job": "settle_payments"})
    return done


class StandinBookings(PaidEvent):
    """An event that costs 40.00, and customers who pay for it through Stripe."""

    def __init__(self, db: psycopg.Connection[Any], stripe: Stripe) -> None:
        super().__init__(db, PRICE, capacity=5)
        self.stripe = stripe

    def book(self, method: str = "card") -> Json:
        """A booking that waits for its payment; Stripe has not heard of it yet."""
        query = "select events.book(event_id => %s, payment_method => %s, idempotency_key => 'tap')::jsonb"
        booking: Json = routines.call(self.db, self.stage.customer(), query, [self.event_id, method])
        return booking

    def ask(self, booking: Json) -> str:
        """Have its PaymentIntent made at Stripe, by the sweep; its id."""
        self.due_now()
        settle()
        stripe_id = self.stripe_id(booking)
        assert stripe_id is not None
        return stripe_id

    def due_now(self) -> None:
        """Have the sweep attend to everything."""
        self.db.execute("update payments.intents set available_at = now()")
        self.db.execute("update payments.refunds set available_at = now()")

    def stripe_id(self, booking: Json) -> str | None:
        """The PaymentIntent of a booking."""
        return self.db.execute(
            "select stripe_payment_intent_id as id from payments.intents where booking_id = %s", [booking["id"]]
        ).fetchone()["id"]

    def clearing(self) -> int:
        """What Stripe holds for us, by the ledger."""
        return money_invariants.clearing_cents(self.db)

    def refund(self) -> Json:
        """The only refund."""
        return self.db.execute("select * from payments.refunds").fetchone()
