"""Messages about money for which the API has no object of its own, or which say more than it."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from marquee.core.models import Answer
from marquee.payments.wallets import Credit


class GrantedCredit(Credit):
    """Credits as the API returns them, with their cause and the bonus of a package."""

    purchase_id: UUID | None
    booking_id: UUID | None
    bonus: Annotated[int, Field(description="Bonus of the package in addition to `amount`: credits of their own.")]


class Dispute(Answer):
    """A dispute about a payment."""

    dispute: Annotated[str, Field(description="The dispute's id at Stripe.")]
    organization_id: UUID
    customer_id: UUID
    booking_id: UUID | None
    purchase_id: UUID | None
    status: Annotated[str, Field(description="The dispute's status at Stripe.")]
    amount_cents: int
    currency: str


class FailedPayout(Answer):
    """A payout that a bank rejected."""

    payout: Annotated[str, Field(description="The payout's id at Stripe.")]
    organization_id: Annotated[UUID | None, Field(description="Null for a payout of the platform.")]
    amount_cents: int
    currency: str
    why: Annotated[str | None, Field(description="The bank's reason.")]


class Difference(Answer):
    """A difference between Stripe's balance and the ledger."""

    id: int
    source_id: Annotated[str, Field(description="The id at Stripe of the charge, refund, dispute or transfer.")]
    currency: str
    reason: Literal["not_in_ledger", "not_at_stripe", "amount_differs"]
    stripe_cents: int
    ledger_cents: int
    opened_at: datetime
