"""Holds: reserve seats for some minutes."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from marquee.booking.access import ORGANIZATION_OF_EVENT
from marquee.core.database import Access, Session
from marquee.core.models import Answer, Id, Request, Seats, TotalCents


class HoldRequest(Request):
    """Seats to hold for the caller, or by staff for a customer."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"event_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a", "seats": 1}]}
    )

    event_id: Id
    seats: Seats = 1
    customer_id: Id | None = None
    total_cents: TotalCents | None = None


class Hold(Answer):
    """Seats that are reserved until `expires_at`. Until then they count like sold ones and keep their price."""

    id: UUID
    event_id: UUID
    customer_id: UUID
    seats: int
    purpose: Literal["online", "desk", "offer", "payment"]
    status: Literal["active", "consumed", "released", "expired"]
    expires_at: datetime
    price_cents: Annotated[int, Field(description="The price of all seats together, with tax, while they are held.")]
    currency: str


def hold(session: Session, request: HoldRequest) -> Hold:
    """Hold seats, or change the number of seats that the customer holds or was offered.

    Refuses as a booking does before payment, and 409 price_changed.
    """
    answer = session.value(
        "select events.hold_seats(event_id => %(event_id)s, seats => %(seats)s, customer_id => %(customer_id)s,"
        " total_cents => %(total_cents)s)",
        request.model_dump(),
    )
    return Hold.model_validate(answer)


def release(session: Session, hold_id: UUID) -> Hold:
    """Release a hold; releasing again returns the same. Refuses: 404 hold_not_found, 409 invalid_transition."""
    answer = session.value(
        "select events.release_hold(hold_id => %s) as answer",
        [hold_id],
        access=Access.of_answer("release_hold", ORGANIZATION_OF_EVENT),
    )
    return Hold.model_validate(answer)
