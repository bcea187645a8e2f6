"""Paying for a booking through Stripe: begin, resume, look how it stands.

The booking and its payment are there before Stripe is asked, and Stripe is asked outside any transaction. When Stripe
cannot be reached, the seats stay kept until the payment's time is over, and asking again begins it.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from marquee.core import database
from marquee.core.database import Limit, Session
from marquee.core.errors import Refused
from marquee.core.identity import Caller
from marquee.core.models import Answer
from marquee.payments import intents, stripe_client

if TYPE_CHECKING:
    from stripe import StripeClient


class PaymentTerms(Answer):
    """What a client needs to have a payment made by Stripe's own elements."""

    intent_id: UUID
    method: Literal["card", "twint"]
    amount_cents: int
    currency: str
    stripe_payment_intent_id: str | None
    client_secret: Annotated[
        str | None,
        Field(description="For Stripe's elements; null while Stripe cannot be reached: POST the payment again."),
    ]


class Payment(PaymentTerms):
    """How the payment of a booking or of a package stands."""

    booking_id: UUID | None
    purchase_id: UUID | None = None
    status: Literal["created", "open", "processing", "succeeded", "cancelled"]
    error: Annotated[dict[str, Any] | None, Field(description="Why the last attempt failed; another may succeed.")] = (
        None
    )
    expires_at: Annotated[datetime | None, Field(description="Until when the seats are kept for it.")] = None


def payment_of(session: Session, booking_id: UUID) -> Payment:
    """The payment of a booking, for whoever pays it and for staff. Refuses: 404 payment_not_found."""
    return Payment.model_validate(session.value("select payments.payment_of(booking_id => %s)", [booking_id]))


def begin(
    client: Callable[[], "StripeClient"], caller: Caller, booking_id: UUID, limit: Limit | None = None
) -> Payment:
    """Have Stripe ready to be paid for a booking; beginning again answers the same payment.

    Its client_secret is None when Stripe cannot be reached; the client is asked for only when Stripe is.
    Refuses: 404 payment_not_found, 409 payment_not_possible, when Stripe will not take it at all.
    """
    with database.single(caller, limit=limit) as session:
        payment = payment_of(session, booking_id)
    return begun(client, payment)


def begun(client: Callable[[], "StripeClient"], payment: Payment) -> Payment:
    """The payment, once Stripe is ready to be paid; see begin. No transaction may be open."""
    # What Stripe answered is kept: it remembers a key for a day only, and would make a second payment after that.
    if payment.status != "created" or payment.stripe_payment_intent_id is not None:
        return payment
    try:
        made = intents.create(
            client(),
            intent_id=payment.intent_id,
            amount_cents=payment.amount_cents,
            currency=payment.currency,
            method=payment.method,
            bought={"purchase_id": payment.purchase_id} if payment.purchase_id else {"booking_id": payment.booking_id},
            idempotency_key=f"intent-{payment.intent_id}",
        )
    except stripe_client.StripeUnavailable:
        return payment
    except stripe_client.StripeRefused as refusal:
        raise Refused(409, "payment_not_possible", refusal.message, stripe_code=refusal.code) from refusal
    return payment.model_copy(
        update={
            "stripe_payment_intent_id": made["stripe_id"],
            "client_secret": made["client_secret"],
            "status": "open",
        }
    )
