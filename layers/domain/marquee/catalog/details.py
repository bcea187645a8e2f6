"""The details of one public event."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from marquee.catalog.search import AVAILABILITY, BOOKING_OPEN, SEATS_LEFT, WAITLIST_OPEN, Availability, PriceTier
from marquee.core.database import Session
from marquee.core.errors import Refused
from marquee.core.models import Answer


class EventOrganization(Answer):
    """The organizer of an event."""

    id: UUID
    slug: str
    name: str


class EventPlace(Answer):
    """The place of an event."""

    id: UUID
    name: str
    address: str | None
    city: str
    country: str


class EventInstructor(Answer):
    """The instructor of an event."""

    id: UUID
    name: str
    bio: str | None


class EventDetails(Answer):
    """A public event, with its current number of seats."""

    id: UUID
    series_id: UUID | None
    title: str
    description: str | None
    category: str | None
    language: str
    time_zone: str
    starts_at: datetime
    ends_at: datetime
    status: Literal["scheduled", "cancelled", "completed"]
    status_reason: str | None
    price_cents: Annotated[int, Field(description="The price of a seat, in cents of the currency.")]
    currency: str
    price_tier: PriceTier
    opens_at: Annotated[datetime | None, Field(description="When booking opens. Null: when it was published.")]
    closes_at: datetime
    cancel_hours_before: Annotated[int, Field(description="Cancelling is free until so many hours before the start.")]
    late_refund_percent: Annotated[
        int, Field(description="The share of the price that cancelling later refunds, in percent.")
    ]
    late_fee_cents: Annotated[int, Field(description="The least cost of cancelling later, also of a free booking.")]
    availability: Annotated[Availability, AVAILABILITY]
    capacity: Annotated[int | None, Field(description="Number of seats. Null: no limit.")]
    seats_left: Annotated[int | None, SEATS_LEFT]
    held: Annotated[int, Field(description="Seats reserved by holds and by offers of the waitlist.")]
    waitlisted: Annotated[int, Field(description="Number of waiting waitlist entries.")]
    booking_open: Annotated[bool, BOOKING_OPEN]
    waitlist_open: Annotated[bool, WAITLIST_OPEN]
    organization: EventOrganization
    location: EventPlace | None
    instructor: EventInstructor | None


def get(session: Session, event_id: UUID) -> EventDetails:
    """Return a public event. Refuses: 404 event_not_found, also for drafts and private events."""
    row = session.one(
        """
        select d.*
        from events.event_details as d
        where
            d.id = %(event_id)s
            and d.starts_at = (select t.starts_at from events.terms as t where t.event_id = %(event_id)s)
            and d.visibility = 'public' and d.status <> 'draft'
        """,
        {"event_id": event_id},
    )
    if row is None:
        raise Refused(404, "event_not_found")
    return details_of(row)


def details_of(row: dict[str, Any]) -> EventDetails:
    """Return the details of an event from a row of events.event_details."""
    return EventDetails.model_validate(
        {
            **row,
            "cancel_hours_before": row["policy"].get("cancel_hours_before") or 0,
            "late_refund_percent": row["policy"].get("late_refund_percent", 100),
            "late_fee_cents": row["policy"].get("late_fee_cents") or 0,
            "organization": _part(row, "organization"),
            "location": _part(row, "location"),
            "instructor": _part(row, "instructor"),
        }
    )


def _part(row: dict[str, Any], name: str) -> dict[str, Any] | None:
    """Return the columns of one part of an event, by their prefix; None if the event has no such part."""
    if row[f"{name}_id"] is None:
        return None
    return {column.removeprefix(f"{name}_"): value for column, value in row.items() if column.startswith(f"{name}_")}
