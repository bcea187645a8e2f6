"""Create bookings paid by card directly in the database, with snapshots of Stripe's state as arguments.

till = CardBookings(db)
booking = till.book(till.stage.customer())
till.apply_payment(booking)         # Stripe reports that it is paid
"""

import itertools
import json
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg.types.json import Jsonb

from tests.kit import routines
from tests.kit.paid_events import PaidEvent

PRICE = 10000
START = datetime(2031, 1, 1, tzinfo=UTC)
SOLD = {
    "platform clearing": PRICE - 320,
    "platform fees": 320,
    "organization receivable": -9500,
    "platform revenue": -500,
}
"""The balances after one sale at the price."""
DISPUTE = {"stripe_id": "dp_1", "amount_cents": PRICE, "currency": "CHF", "reason": None}


class CardBookings(PaidEvent):
    """An event that costs 100.00, with Stripe's state as the database receives it."""

    def __init__(self, db, capacity=5, **policy):
        super().__init__(db, PRICE, capacity, **policy)
        self.moments = (START + timedelta(seconds=n) for n in itertools.count())

    def book(self, customer, method="card", key="tap", seats=1):
        query = "select events.book(event_id => %s, seats => %s, payment_method => %s, idempotency_key => %s)::jsonb"
        return routines.call(self.db, customer, query, [self.event_id, seats, method, key])

    def facts(self, booking, status="succeeded", **more):
        return {
            "stripe_id": f"pi_{booking['id']}",
            "intent_id": booking["id"],
            "status": status,
            "amount_cents": booking["price_cents"],
            "currency": "chf",
            "received_cents": booking["price_cents"] if status == "succeeded" else 0,
            "charge_id": "ch_1" if status == "succeeded" else None,
            "fee_cents": 320 if status == "succeeded" else None,
            "balance_transaction_id": f"txn_{booking['id']}" if status == "succeeded" else None,
            "error": None,
            "refunds": [],
            "disputes": [],
            "observed_at": next(self.moments).isoformat(),
            **more,
        }

    def apply_payment(self, booking, status="succeeded", **more):
        return self.apply(self.facts(booking, status, **more))

    def apply(self, facts):
        return routines.call(self.db, None, "select payments.apply_payment(%s)", [Jsonb(facts)])

    def send_refunds(self, status="succeeded", reason=None):
        claimed = self.claim("refunds")
        results = [
            {
                "refund_id": row["refund_id"],
                "stripe_id": f"re_{row['refund_id']}",
                "status": status,
                "failure_reason": reason,
            }
            for row in claimed
        ]
        routines.call(
            self.db, None, "select payments.record_refunds(%s::text::jsonb)", [json.dumps(results, default=str)]
        )
        return claimed

    def claim(self, what):
        with psycopg.ClientCursor(self.db) as cursor:
            cursor.execute(f"select c.* from payments.claim_{what}() as c")
            return cursor.fetchall()

    def seats(self):
        return self.db.execute(
            "select taken, held from events.inventory where event_id = %s", [self.event_id]
        ).fetchone()

    def topics(self):
        return [row["topic"] for row in self.db.execute("select topic from public.outbox order by id").fetchall()]


def paid(till, customer=None):
    booking = till.book(customer or till.stage.customer())
    till.apply_payment(booking)
    return booking


def dashboard_refund(number, cents, status="succeeded"):
    """Build a refund that was made in Stripe's dashboard."""
    return {"stripe_id": f"re_{number}", "refund_id": None, "amount_cents": cents, "status": status}
