"""One public event with all that a visitor wants to know of it."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from marquee.catalog.search import Availability, PriceTier
from marquee.core.database import Session
from marquee.core.errors import Refused
from marquee.core.models import Answer


class EventOrganization(Answer):
    """Who holds an event."""

    id: UUID
    slug: str
    name: str


class EventPlace(Answer):
    """Where an event takes place."""

    id: UUID
    name: str
    address: str | None
    city: str
    country: str


class EventInstructor(Answer):
    """Who leads an event."""

    id: UUID
    name: str
    bio: str | None


class EventDetails(Answer):
    """A public event, with its seats at this moment."""

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
    opens_at: Annotated[datetime | None, Field(description="When booking opens; null: open since it was published.")]
    closes_at: datetime
    cancel_hours_before: Annotated[int, Field(description="Until when cancelling is free.")]
    late_fee_cents: Annotated[int, Field(description="What cancelling later costs.")]
    availability: Annotated[Availability, Field(description="filling: 80 % of the seats are taken or held.")]
    capacity: Annotated[int | None, Field(description="Null: no limit.")]
    seats_left: Annotated[int | None, Field(description="Null: no limit.")]
    held: Annotated[int, Field(description="Seats kept for people who are booking or have an offer.")]
    waitlisted: Annotated[int, Field(description="How many wait for a seat.")]
    booking_open: Annotated[bool, Field(description="Whether booking has opened and not closed yet.")]
    waitlist_open: Annotated[bool, Field(description="Whether one may wait for a seat.")]
    organization: EventOrganization
    location: EventPlace | None
    instructor: EventInstructor | None


def get(session: Session, event_id: UUID) -> EventDetails:
    """A public event. Refuses: 404 event_not_found, for drafts and private events too."""
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
    return EventDetails.model_validate(
        {
            **row,
            "cancel_hours_before": row["policy"].get("cancel_hours_before") or 0,
            "late_fee_cents": row["policy"].get("late_fee_cents") or 0,
            "organization": _part(row, "organization"),
            "location": _part(row, "location"),
            "instructor": _part(row, "instructor"),
        }
    )


def _part(row: dict[str, Any], name: str) -> dict[str, Any] | None:
    """The columns of one part of an event, by its prefix; none where the event has no such part."""
    if row[f"{name}_id"] is None:
        return None
    return {column.removeprefix(f"{name}_"): value for column, value in row.items() if column.startswith(f"{name}_")}
