"""Stripe's stand-in for tests that pay: a process of its own per worker, emptied for each test, spoken to by the SDK.

from tests.paying import aws_queues, stand_in, stripe  # fixtures

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

import pytest
from pydantic import SecretStr

from marquee.payments import signatures, stripe_client
from tests import gateway
from tests.stripe.running import Process

KEY = "sk_test_0123456789abcdef"
SIGNING_SECRET = "whsec_of_the_tests"
Json = dict[str, Any]


@dataclass(frozen=True)
class Stripe:
    """The stand-in: its API by the client that the functions use, and its controls."""

    url: str

    @property
    def v1(self) -> Any:
        """The API."""
        return stripe_client.connect(SecretStr(KEY), base=self.url, retries_max=0).v1

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
        events = [stripe_client.plain(event) for event in listed.auto_paging_iter()]
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
