"""The third chapter: a workshop is paid by card, at the second attempt, cancelled and refunded; the books balance.

The official SDK plays the payer's part at Stripe, or at the stand-in.
"""

import os
import uuid
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from demo.stripe_server import KEY
from demo.system import Stopped, System, say
from marquee.edge import stripe
from marquee.payments import stripe_calls

STAND_IN = Path(".local/stripe/url")
PRICE_CENTS = 4000


def run(system: System) -> None:
    """Pay, fail with a declined card, pay again, cancel, be refunded, and see it all in the books."""
    say("Ana gives a workshop that costs 40 francs. Ben books it by card: his seat is kept while he pays.")
    event = _workshop(system)
    booking = system.call("ben", "POST", "/bookings", {"event_id": event["id"], "payment_method": "card"}, expect=201)
    payment = booking["payment"]
    if payment["client_secret"] is None:
        raise Stopped("Stripe cannot be reached from here; the seat is kept for 15 minutes meanwhile.")
    print(f"    {booking['status']}, {payment['amount_cents'] / 100:.2f} {payment['currency']} to pay")

    say("His card is declined. The seat is still his: another attempt may succeed.")
    _pay(payment, "pm_card_visa_chargeDeclined")
    path = f"/bookings/{booking['id']}/payment"
    failed = system.wait("The news of the declined card", lambda: _with_error(system, path))
    print(f"    {failed['error']['code']}: {failed['error']['message']}")
    _look(system, booking)

    say("He pays with another card. Stripe sends Marquee a signed webhook, and the booking is confirmed.")
    _pay(payment, "pm_card_visa")
    system.wait("The confirmation", lambda: _status(system, booking) == "confirmed")
    _look(system, booking)

    say("Ana's books: her share of the sale is owed to her.")
    opening = _statement(system)

    say("Ben cancels in time, so by the policy of his booking all of it goes back the way it came.")
    system.call("ben", "POST", f"/bookings/{booking['id']}/cancel", {"reason": "Away"})
    system.fire("SettlePaymentsSchedule")
    refund = system.wait("The refund", lambda: _refund(system, booking))
    print(f"    {refund['amount_cents'] / 100:.2f} {refund['currency']} {refund['status']}")

    say("The books again: the sale was refunded, and all accounts together sum to zero.")
    closing = _statement(system)
    share = PRICE_CENTS - PRICE_CENTS * 5 // 100
    if opening["closing_cents"] - closing["closing_cents"] != share:
        raise Stopped(f"Ana's books should have gone down by {share}.")
    for total in system.call("service", "GET", "/ledger/trial-balance")["totals"]:
        print(f"    {total['currency']} {total['type'] or 'all together':14} {total['amount_cents'] / 100:12,.2f}")
        if total["type"] is None and total["amount_cents"] != 0:
            raise Stopped("The books do not balance: that should not be possible.")


def _workshop(system: System) -> Any:
    day = datetime.combine(date.today() + timedelta(days=10), datetime.min.time(), UTC)
    return system.call(
        "ana",
        "POST",
        "/events",
        {
            "organization_id": system.organization_id,
            "title": f"Headstands for beginners {uuid.uuid4().hex[:4]}",
            "category": "workshop",
            "starts_at": (day + timedelta(hours=17)).isoformat(),
            "ends_at": (day + timedelta(hours=19)).isoformat(),
            "capacity": 10,
            "price_cents": PRICE_CENTS,
        },
        expect=201,
    )


def _pay(payment: Any, card: str) -> None:
    """Pay as Stripe's elements do in a browser."""
    key = os.environ.get("STRIPE_API_KEY")
    base = None if key else STAND_IN.read_text().strip()
    client = stripe.connect(SecretStr(key or KEY), base=base)
    try:
        with stripe_calls.calling():
            paid = client.v1.payment_intents.confirm(
                payment["stripe_payment_intent_id"], {"payment_method": card, "return_url": "https://example.org"}
            )
        print(f"    {'ben':8} pays at Stripe with {card}  →  {paid.status}")
    except stripe_calls.CardDeclined as error:
        print(f"    {'ben':8} pays at Stripe with {card}  →  {error.code}")


def _with_error(system: System, path: str) -> Any:
    payment = system.call("ben", "GET", path)
    return payment if payment["error"] else None


def _look(system: System, booking: Any) -> None:
    print(f"    the booking is {_status(system, booking)}")


def _status(system: System, booking: Any) -> str:
    return str(system.call("ben", "GET", f"/bookings/{booking['id']}")["status"])


def _refund(system: System, booking: Any) -> Any:
    refunds = system.call("ben", "GET", "/refunds")["items"]
    return next((each for each in refunds if each["booking_id"] == booking["id"] and each["settled_at"]), None)


def _statement(system: System) -> Any:
    days = f"from={date.today() - timedelta(days=1)}&to={date.today() + timedelta(days=1)}"
    told = system.call("ana", "GET", f"/organizations/{system.organization_id}/statement?{days}")
    for line in told["movements"]:
        print(f"    {line['kind']:14} {line['count']:4} {line['amount_cents'] / 100:12,.2f}")
    print(f"    {'owed to Ana':19} {told['closing_cents'] / 100:12,.2f} {told['currency']}")
    return told
