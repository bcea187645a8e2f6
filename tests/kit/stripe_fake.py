"""Stripe in a few lines, for tests that want it in their own hands: payments, refunds, disputes, and facts of them.

bank = FakeStripe()
stripe_id = bank.create(booking["id"], 10000)
bank.pay(stripe_id)
facts = bank.facts(stripe_id)  # what payments.apply_payment takes

Keys make one thing each, and never goes more back than came. Safe to use from many threads.
"""

import itertools
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

FEE_CENTS = 320
START = datetime(2031, 1, 1, tzinfo=UTC)
Json = dict[str, Any]


class Refused(Exception):
    """The bank will not do it; the argument is why."""


@dataclass
class Payment:
    """A PaymentIntent."""

    stripe_id: str
    intent_id: str
    amount_cents: int
    status: str = "requires_payment_method"
    refunds: list[Json] = field(default_factory=list)
    disputes: list[Json] = field(default_factory=list)

    @property
    def returned_cents(self) -> int:
        """What went back, or is on its way."""
        return sum(each["amount_cents"] for each in self.refunds if each["status"] != "failed")

    @property
    def withdrawn_cents(self) -> int:
        """What disputes have taken."""
        return sum(each["amount_cents"] for each in self.disputes if each["status"] != "won")


class FakeStripe:
    """What Stripe has."""

    def __init__(self) -> None:
        self.payments: dict[str, Payment] = {}
        self._refunds: dict[str, Json] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()

    def create(self, intent_id: str, amount_cents: int) -> str:
        """A PaymentIntent for an intent of ours: one, however often."""
        with self._lock:
            stripe_id = f"pi_{intent_id}"
            self.payments.setdefault(stripe_id, Payment(stripe_id, intent_id, amount_cents))
            return stripe_id

    def pay(self, stripe_id: str, status: str = "succeeded") -> bool:
        """The customer pays, is declined (`requires_payment_method`), or waits (`processing`); whether they could."""
        with self._lock:
            payment = self.payments[stripe_id]
            if payment.status in ("succeeded", "canceled"):
                return False
            payment.status = status
            return True

    def cancel(self, stripe_id: str) -> bool:
        """Nobody can pay it any more; False when it is too late for that."""
        with self._lock:
            payment = self.payments[stripe_id]
            if payment.status in ("succeeded", "processing"):
                return False
            payment.status = "canceled"
            return True

    def refund(self, stripe_id: str, amount_cents: int, key: str | None = None, refund_id: str | None = None) -> Json:
        """Send money back: once per key; by somebody at the dashboard, if there is none. Raises NotTaken."""
        with self._lock:
            if key in self._refunds:
                return dict(self._refunds[key])
            payment = self.payments[stripe_id]
            if payment.status != "succeeded" or payment.returned_cents + amount_cents > payment.amount_cents:
                raise Refused("charge_already_refunded")
            if payment.withdrawn_cents:
                raise Refused("charge_disputed")
            made = {
                "stripe_id": f"re_{next(self._numbers):05}",
                "refund_id": refund_id,
                "key": key,
                "amount_cents": amount_cents,
                "status": "pending",
                "failure_reason": None,
            }
            payment.refunds.append(made)
            if key is not None:
                self._refunds[key] = made
            return dict(made)

    def end_refund(self, stripe_id: str, status: str, number: int = -1) -> bool:
        """A refund arrives (`succeeded`) or does not (`failed`); whether there was one that could."""
        with self._lock:
            refunds = [each for each in self.payments[stripe_id].refunds if each["status"] != "failed"]
            if not refunds:
                return False
            refunds[number % len(refunds)]["status"] = status
            return True

    def dispute(self, stripe_id: str) -> bool:
        """The customer's bank takes the payment back, for now; whether there was something to take."""
        with self._lock:
            payment = self.payments[stripe_id]
            if payment.status != "succeeded" or payment.disputes or payment.returned_cents:
                return False
            payment.disputes.append(
                {
                    "stripe_id": f"dp_{stripe_id}",
                    "amount_cents": payment.amount_cents,
                    "status": "needs_response",
                    "reason": "general",
                }
            )
            return True

    def end_dispute(self, stripe_id: str, status: str) -> bool:
        """A dispute is `won` or `lost`; whether there was an open one."""
        with self._lock:
            for each in self.payments[stripe_id].disputes:
                if each["status"] == "needs_response":
                    each["status"] = status
                    return True
            return False

    def facts(self, stripe_id: str) -> Json:
        """What is the case with a payment now."""
        with self._lock:
            payment = self.payments[stripe_id]
            paid = payment.status == "succeeded"
            return {
                "stripe_id": stripe_id,
                "intent_id": payment.intent_id,
                "status": payment.status,
                "amount_cents": payment.amount_cents,
                "currency": "CHF",
                "received_cents": payment.amount_cents if paid else 0,
                "charge_id": f"ch_{stripe_id}" if paid else None,
                "fee_cents": FEE_CENTS if paid else None,
                "fee_currency": "CHF" if paid else None,
                "balance_transaction_id": f"txn_{stripe_id}" if paid else None,
                "error": None,
                "refunds": [dict(each) for each in payment.refunds],
                "disputes": [dict(each) for each in payment.disputes],
                "observed_at": (START + timedelta(seconds=next(self._numbers))).isoformat(),
            }

    def holds_cents(self) -> int:
        """What the bank has of ours."""
        return sum(
            payment.amount_cents - FEE_CENTS - payment.returned_cents - payment.withdrawn_cents
            for payment in self.payments.values()
            if payment.status == "succeeded"
        )
