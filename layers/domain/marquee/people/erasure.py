"""Erasure at the person's own request, seven days later unless they cancel it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from marquee.core.database import Session
from marquee.core.models import Answer


class ErasedCredit(Answer):
    """The destination of the caller's money and passes at one organization."""

    organization_id: UUID
    organization_name: str
    currency: str
    refunded_cents: Annotated[int, Field(description="Returns to the card or TWINT account that paid it.")]
    unclaimed_cents: Annotated[
        int, Field(description="Goes to the organization, which owes it. Ask them before the erasure.")
    ]
    lapsed_cents: Annotated[int, Field(description="Gifts, bonuses and promotions, which nobody paid.")]
    lapsed_units: Annotated[int, Field(description="Units of passes that nobody paid.")]


class ScheduledErasure(Answer):
    """A scheduled erasure, and what it would do now."""

    requested_at: datetime
    due_at: Annotated[datetime, Field(description="The erasure takes place in the night after. Cancel it before.")]
    bookings: Annotated[int, Field(description="Bookings of future events, which are cancelled.")]
    memberships: Annotated[int, Field(description="Memberships of organizations, which end.")]
    credits: list[ErasedCredit]


def request(session: Session) -> ScheduledErasure:
    """Schedule the caller's erasure. Refuses: 401 unauthenticated, 403 forbidden, 409 last_owner."""
    return ScheduledErasure.model_validate(session.value("select users.request_erasure()"))


def cancel(session: Session) -> None:
    """Cancel the caller's scheduled erasure. Refuses: 403 forbidden, 404 erasure_not_requested."""
    session.value("select users.cancel_erasure()")
