"""A payment from end to end: booked by the API, paid at the Stripe stand-in, confirmed by a queued webhook."""

import json
import time
import urllib.request
from typing import Any

import pytest

from tests.kit.project import Project

SECONDS_MAX = 60

pytestmark = pytest.mark.slow


def ask(url: str, method: str = "GET", body: Any = None, **headers: str) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers}, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def test_booking_paid_at_stripe_is_confirmed_by_its_webhook(project: Project):
    with project.up():
        api = f"http://127.0.0.1:{project.port}"
        stripe = (project.folder / ".local" / "stripe" / "url").read_text() + "/_stand_in"
        token = project.run("demo.token", "--user", "ben").stdout.strip()
        events = ask(f"{api}/events?limit=100")["items"]
        priced = next(each for each in events if each["price_cents"] > 0 and each["seats_left"])
        wanted = {"event_id": priced["id"], "seats": 1, "payment_method": "card"}

        made = ask(f"{api}/bookings", "POST", wanted, Authorization=f"Bearer {token}", **{"Idempotency-Key": "round"})
        assert made["status"] == "pending_payment"
        ask(f"{stripe}/payment_intents/{made['payment']['client_secret'].partition('_secret_')[0]}/pay", "POST", {})

        deadline, booking = time.monotonic() + SECONDS_MAX, made
        while booking["status"] != "confirmed":
            assert time.monotonic() < deadline, project.said.read_text()
            time.sleep(0.2)
            booking = ask(f"{api}/bookings/{made['id']}", Authorization=f"Bearer {token}")
    assert "stripe-worker" in project.said.read_text()
