"""Calls of the routines that bring Stripe's data into the ledger; each is one statement with its own commit."""

import json
from typing import Any

from pydantic import BaseModel, ConfigDict

from marquee.core import database
from marquee.payments.stripe_snapshot import Facts

INTENTS_MOST = 20
REFUNDS_MOST = 40
LEASE_SECONDS = 120


class DueIntent(BaseModel):
    """An intent to create, cancel or fetch at Stripe."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, coerce_numbers_to_str=False)

    intent_id: Any
    action: str
    stripe_payment_intent_id: str | None
    amount_cents: int
    currency: str
    method: str
    metadata: dict[str, Any]
    idempotency_key: str


class DueRefund(BaseModel):
    """A refund to send to Stripe."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    refund_id: Any
    stripe_payment_intent_id: str
    amount_cents: int
    currency: str
    idempotency_key: str
    reason: str | None
    look_first: bool
    """It may have been sent so long ago that Stripe no longer knows its key."""


def apply_payment(facts: Facts) -> dict[str, Any]:
    """Bring the facts of a payment at Stripe into the ledger. Returns the changes."""
    with database.single(database.service()) as session:
        done: dict[str, Any] = session.value("select payments.apply_payment(facts => %s::jsonb)", [json.dumps(facts)])
    return done


def record_intent(intent_id: Any, stripe_id: str, client_secret: str | None, status: str) -> dict[str, Any]:
    """Record the PaymentIntent that Stripe has for one of our intents."""
    with database.single(database.service()) as session:
        recorded: dict[str, Any] = session.value(
            "select payments.record_intent(intent_id => %s, stripe_id => %s, client_secret => %s, status => %s)",
            [intent_id, stripe_id, client_secret, status],
        )
    return recorded


def refuse_intent(intent_id: Any, code: str, message: str, *, quiet: bool = False) -> str | None:
    """Record that Stripe rejected an intent for good, and undo its booking or purchase; `quiet` sends no message.

    Returns the intent's status, or None if Stripe has it after all.
    """
    error = json.dumps({"code": code, "decline_code": None, "message": message})
    with database.single(database.service()) as session:
        standing: str | None = session.value(
            "select payments.refuse_intent(intent_id => %s, error => %s::jsonb, quiet => %s)",
            [intent_id, error, quiet],
        )
    return standing


def claim_intents(most: int = INTENTS_MOST) -> list[DueIntent]:
    """Lease intents that are due at Stripe, for two minutes."""
    with database.single(database.service()) as session:
        rows = session.all(
            "select c.* from payments.claim_intents(most => %s, lease_seconds => %s) as c", [most, LEASE_SECONDS]
        )
    return [DueIntent.model_validate(row) for row in rows]


def claim_refunds(most: int = REFUNDS_MOST) -> list[DueRefund]:
    """Lease refunds that are due at Stripe, for two minutes."""
    with database.single(database.service()) as session:
        rows = session.all(
            "select c.* from payments.claim_refunds(most => %s, lease_seconds => %s) as c", [most, LEASE_SECONDS]
        )
    return [DueRefund.model_validate(row) for row in rows]


def record_refunds(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Record Stripe's responses to refunds."""
    with database.single(database.service()) as session:
        recorded: dict[str, Any] = session.value(
            "select payments.record_refunds(results => %s::jsonb)", [json.dumps(results, default=str)]
        )
    return recorded
