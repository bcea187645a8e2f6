"""The current state of a payment at Stripe, always fetched again because the contents of an event may be old.

Facts are plain JSON for payments.apply_payment, which accepts them in any order and any number of times.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from marquee.payments import stripe_calls

if TYPE_CHECKING:
    from stripe import StripeClient

LIST_MOST = 100

Facts = dict[str, Any]


def fetch(client: "StripeClient", payment_intent_id: str, now: Callable[[], datetime]) -> Facts:
    """Fetch the facts of a PaymentIntent, with its charge, Stripe's fee, its refunds and its disputes.

    It makes two to four calls. `observed_at` is the moment before the first, so that the facts are at least that new.
    Raises StripeUnavailable, StripeRefused.
    """
    observed_at = now()
    with stripe_calls.calling():
        intent = stripe_calls.plain(
            client.v1.payment_intents.retrieve(
                payment_intent_id, {"expand": ["latest_charge", "latest_charge.balance_transaction"]}
            )
        )
        refunds: list[dict[str, Any]] = []
        disputes: list[dict[str, Any]] = []
        charge = intent.get("latest_charge")
        if charge is not None:
            listed = client.v1.refunds.list({"payment_intent": payment_intent_id, "limit": LIST_MOST})
            refunds = [stripe_calls.plain(each) for each in listed.auto_paging_iter()]
            if charge.get("disputed"):
                found = client.v1.disputes.list({"payment_intent": payment_intent_id, "limit": LIST_MOST})
                disputes = [stripe_calls.plain(each) for each in found.auto_paging_iter()]
    return of(intent, refunds, disputes, observed_at)


def of(
    intent: dict[str, Any], refunds: list[dict[str, Any]], disputes: list[dict[str, Any]], observed_at: datetime
) -> Facts:
    """Return the facts of Stripe's responses; the intent's charge and its balance transaction are expanded."""
    charge = intent.get("latest_charge") or {}
    booked = charge.get("balance_transaction") or {}
    return {
        "stripe_id": intent["id"],
        "intent_id": _uuid((intent.get("metadata") or {}).get("intent_id")),
        "status": intent["status"],
        "amount_cents": intent["amount"],
        "currency": intent["currency"].upper(),
        "received_cents": intent.get("amount_received") or 0,
        "charge_id": charge.get("id"),
        "fee_cents": booked.get("fee"),
        # The currency of Stripe's balance, which can differ from that of the payment.
        "fee_currency": booked["currency"].upper() if booked else None,
        "balance_transaction_id": booked.get("id"),
        "error": _error(intent.get("last_payment_error")),
        "refunds": sorted((_refund(each) for each in refunds), key=lambda refund: str(refund["stripe_id"])),
        "disputes": sorted((_dispute(each) for each in disputes), key=lambda dispute: str(dispute["stripe_id"])),
        "observed_at": observed_at.isoformat(),
    }


def refund_of(refund: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of one refund, from the response to its creation."""
    return _refund(refund)


def _error(error: dict[str, Any] | None) -> dict[str, Any] | None:
    if error is None:
        return None
    return {name: error.get(name) for name in ("code", "decline_code", "message")}


def _refund(refund: dict[str, Any]) -> dict[str, Any]:
    return {
        "stripe_id": refund["id"],
        "refund_id": _uuid((refund.get("metadata") or {}).get("refund_id")),
        "key": (refund.get("metadata") or {}).get("key"),
        "amount_cents": refund["amount"],
        "status": refund["status"],
        "failure_reason": refund.get("failure_reason"),
        "balance_transaction_id": _id(refund.get("balance_transaction")),
    }


def _dispute(dispute: dict[str, Any]) -> dict[str, Any]:
    return {
        "stripe_id": dispute["id"],
        "amount_cents": dispute["amount"],
        # The bank can debit another currency than that of the payment.
        "currency": dispute["currency"].upper(),
        "status": dispute["status"],
        "reason": dispute.get("reason"),
    }


def _uuid(text: str | None) -> str | None:
    """Return our id from a thing's metadata, which others may fill with any text."""
    try:
        return None if text is None else str(UUID(text))
    except ValueError:
        return None


def _id(thing: str | dict[str, Any] | None) -> str | None:
    """Return the id of a thing that may be expanded."""
    return thing["id"] if isinstance(thing, dict) else thing
