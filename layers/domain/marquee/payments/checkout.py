"""Payment of a booking through Stripe: start it, resume it, read its state.

The booking and its payment are stored before the call to Stripe, which happens outside any transaction. If Stripe
cannot be reached, the seats stay reserved until the payment expires, and another call starts the payment.
"""

import contextlib
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from marquee.core import database
from marquee.core.database import Limit, Session
from marquee.core.errors import Refused, Unavailable
from marquee.core.identity import Caller
from marquee.core.models import Answer
from marquee.payments import intents, stripe_calls, stripe_sync

if TYPE_CHECKING:
    from stripe import StripeClient


class PaymentTerms(Answer):
    """The data that a client needs to make a payment by Stripe's elements."""

    intent_id: UUID
    method: Literal["card", "twint"]
    amount_cents: int
    currency: str
    stripe_payment_intent_id: str | None
    client_secret: Annotated[
        str | None,
        Field(description="For Stripe's elements. Null while Stripe cannot be reached; then POST the payment again."),
    ]


class Payment(PaymentTerms):
    """The payment of a booking or of a package."""

    booking_id: UUID | None
    purchase_id: UUID | None = None
    status: Literal["created", "open", "processing", "succeeded", "cancelled"]
    error: Annotated[
        dict[str, Any] | None, Field(description="Why the last attempt failed. Another attempt may succeed.")
    ] = None
    expires_at: Annotated[datetime | None, Field(description="The seats are reserved for the payment until then.")] = (
        None
    )


def payment_of(session: Session, booking_id: UUID) -> Payment:
    """Return the payment of a booking, for its customer and for staff. Refuses: 404 payment_not_found."""
    return Payment.model_validate(session.value("select payments.payment_details(booking_id => %s)", [booking_id]))


def start(
    client: Callable[[], "StripeClient"], caller: Caller, booking_id: UUID, limit: Limit | None = None
) -> Payment:
    """Start the payment of a booking at Stripe. Starting it again returns the same payment.

    Its client_secret is None if Stripe cannot be reached. `client` is called only if Stripe is needed. Refuses: 404
    payment_not_found, 409 payment_not_possible if Stripe rejects the payment for good.
    """
    with database.single(caller, limit=limit) as session:
        payment = payment_of(session, booking_id)
    return create_at_stripe(client, payment)


def terms_of(payment: Payment, method: str) -> dict[str, Any]:
    """Return the terms of a payment as the response to its booking by this method, the same at each repetition."""
    return payment.model_dump(mode="json", include=set(PaymentTerms.model_fields)) | {"method": method}


def refresh(client: Callable[[], "StripeClient"], payment: Payment, now: intents.Now) -> None:
    """Bring the payment's state at Stripe into the ledger, as far as Stripe can be reached."""
    if payment.stripe_payment_intent_id is not None and payment.status in ("open", "processing"):
        with contextlib.suppress(stripe_calls.StripeUnavailable, stripe_calls.StripeRefused, intents.Overtaken):
            intents.settle(client(), payment.stripe_payment_intent_id, now)


def change_at_stripe(client: Callable[[], "StripeClient"], payment: Payment) -> None:
    """Let the payment at Stripe be made by its new method.

    Refuses: 409 payment_not_possible. Raises Unavailable; then the request is sent again.
    """
    if payment.status != "open" or payment.stripe_payment_intent_id is None:
        return
    try:
        intents.change_method(client(), payment.stripe_payment_intent_id, payment.method, payment.currency)
    except stripe_calls.StripeUnavailable as error:
        raise Unavailable("Stripe cannot be reached. Send the request again.") from error
    except stripe_calls.StripeRefused as refusal:
        raise Refused(409, "payment_not_possible", refusal.message, stripe_code=refusal.code) from refusal


def stop_at_stripe(client: Callable[[], "StripeClient"], payment: Payment, now: intents.Now) -> None:
    """Cancel the payment at Stripe of a booking that was paid otherwise. The sweep repeats what fails here."""
    if payment.stripe_payment_intent_id is not None:
        with contextlib.suppress(stripe_calls.StripeUnavailable, stripe_calls.StripeRefused):
            intents.cancel(client(), payment.stripe_payment_intent_id, f"intent-{payment.intent_id}")
        refresh(client, payment, now)


def create_at_stripe(client: Callable[[], "StripeClient"], payment: Payment) -> Payment:
    """Return the payment after it was created at Stripe; see `start`. No transaction may be open.

    If Stripe rejects it for good, its booking or purchase is undone, and a repeated request is refused again.
    """
    # Stripe's response is stored, because Stripe remembers a key only for a day and would then make a second payment.
    if payment.status == "cancelled" and payment.stripe_payment_intent_id is None and payment.error is not None:
        raise Refused(409, "payment_not_possible", payment.error["message"], stripe_code=payment.error["code"])
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
    except stripe_calls.StripeUnavailable:
        return payment
    except stripe_calls.StripeRefused as refusal:
        if stripe_sync.refuse_intent(payment.intent_id, refusal.code, refusal.message, quiet=True) is None:
            return payment  # Another worker created it meanwhile: the next request returns its state.
        raise Refused(409, "payment_not_possible", refusal.message, stripe_code=refusal.code) from refusal
    return payment.model_copy(
        update={
            "stripe_payment_intent_id": made["stripe_id"],
            "client_secret": made["client_secret"],
            "status": "open",
        }
    )
