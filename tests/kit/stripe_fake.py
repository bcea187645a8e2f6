"""Fake Stripe in a few lines, for tests that control it directly: payments, refunds, disputes and snapshots.

    bank = FakeStripe()
    stripe_id = bank.create(booking["id"], 10000)
    bank.pay(stripe_id)
    facts = bank.facts(stripe_id)  # the argument of payments.apply_payment

Each idempotency key creates one object, and refunds never exceed the payment. It is thread-safe.
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
    """Stripe refuses the call. The argument is the reason."""


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
        """Return the refunded cents, including pending refunds."""
        return sum(each["amount_cents"] for each in self.refunds if each["status"] != "failed")

    @property
    def withdrawn_cents(self) -> int:
        """Return the cents that disputes have withdrawn."""
        return sum(each["amount_cents"] for each in self.disputes if each["status"] != "won")


class FakeStripe:
    """The payments, refunds and disputes that Stripe has."""

    def __init__(self) -> None:
        self.payments: dict[str, Payment] = {}
        self._refunds: dict[str, Json] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()

    def create(self, intent_id: str, amount_cents: int) -> str:
        """Create one PaymentIntent for an intent of ours, however often it is called."""
        with self._lock:
            stripe_id = f"pi_{intent_id}"
            self.payments.setdefault(stripe_id, Payment(stripe_id, intent_id, amount_cents))
            return stripe_id

    def pay(self, stripe_id: str, status: str = "succeeded") -> bool:
        """Set a payment to succeeded, declined (`requires_payment_method`) or `processing`. Return whether it could."""
        with self._lock:
            payment = self.payments[stripe_id]
            if payment.status in ("succeeded", "canceled"):
                return False
            payment.status = status
            return True

    def cancel(self, stripe_id: str) -> bool:
        """Cancel a payment. Return False when it is too late."""
        with self._lock:
            payment = self.payments[stripe_id]
            if payment.status in ("succeeded", "processing"):
                return False
            payment.status = "canceled"
            return True

    def refund(self, stripe_id: str, amount_cents: int, key: str | None = None, refund_id: str | None = None) -> Json:
        """Refund once per key, or as a dashboard user without a key. Raises Refused."""
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
        """End a refund as `succeeded` or `failed`. Return whether there was one to end."""
        with self._lock:
            refunds = [each for each in self.payments[stripe_id].refunds if each["status"] != "failed"]
            if not refunds:
                return False
            refunds[number % len(refunds)]["status"] = status
            return True

    def dispute(self, stripe_id: str, also_refunded: bool = False) -> bool:
        """Start a dispute, which withdraws a whole payment for now, and a refunded one only if `also_refunded`."""
        with self._lock:
            payment = self.payments[stripe_id]
            if payment.status != "succeeded" or payment.disputes:
                return False
            if payment.returned_cents and not also_refunded:
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
        """End a dispute as `won` or `lost`. Return whether there was an open one."""
        with self._lock:
            for each in self.payments[stripe_id].disputes:
                if each["status"] == "needs_response":
                    each["status"] = status
                    return True
            return False

    def facts(self, stripe_id: str) -> Json:
        """Return a snapshot of a payment."""
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
        """Return the cents that Stripe holds for us."""
        return sum(
            payment.amount_cents - FEE_CENTS - payment.returned_cents - payment.withdrawn_cents
            for payment in self.payments.values()
            if payment.status == "succeeded"
        )
