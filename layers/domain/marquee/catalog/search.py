"""Search of future public events by words, place, time, free seats, price and instructor."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from marquee.core import paging
from marquee.core.database import Session
from marquee.core.errors import Refused
from marquee.core.models import Answer

Availability = Literal["available", "filling", "full", "unlimited"]
PriceTier = Literal["free", "under_20", "under_50", "more"]

SEATS_LEFT = Field(description="Seats on sale, without those set aside for the waitlist. Null: no limit.")
AVAILABILITY = Field(description="By the seats on sale. filling: at most 20 % of the capacity; full: none.")
BOOKING_OPEN = Field(description="Whether booking is open now.")
WAITLIST_OPEN = Field(description="Whether no seat is on sale and customers may join the waitlist now.")


class EventQuery(BaseModel):
    """The conditions of a search; an event must meet all that are given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    q: str | None = None
    city: str | None = None
    category: str | None = None
    organization_id: UUID | None = None
    series_id: UUID | None = None
    instructor_id: UUID | None = None
    availability: Availability | None = None
    price: PriceTier | None = None
    starts_from: datetime | None = None
    starts_before: datetime | None = None


class EventListing(Answer):
    """A future event, with its current number of seats."""

    id: UUID
    series_id: UUID | None
    title: str
    category: str | None
    language: str
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    price_cents: Annotated[int, Field(description="The price of a seat, in cents of the currency.")]
    currency: str
    price_tier: PriceTier
    organization_id: UUID
    organization_name: str
    location_id: UUID | None
    location_name: str | None
    city: str | None
    country: str | None
    instructor_id: UUID | None
    instructor_name: str | None
    capacity: Annotated[int | None, Field(description="Number of seats. Null: no limit.")]
    seats_left: Annotated[int | None, SEATS_LEFT]
    availability: Annotated[Availability, AVAILABILITY]
    waitlisted: Annotated[int, Field(description="Number of waiting waitlist entries.")]
    booking_open: Annotated[bool, BOOKING_OPEN]
    waitlist_open: Annotated[bool, WAITLIST_OPEN]


def search(session: Session, query: EventQuery, limit: int, cursor: str | None) -> paging.Page[EventListing]:
    """Search events in order of their start. The default of starts_from is now.

    Refuses: 422 invalid_request for a window that ends before it starts.
    """
    if query.starts_from and query.starts_before and query.starts_before <= query.starts_from:
        error = {"path": ["query", "to"], "kind": "range", "message": "`to` must be later than `from`."}
        raise Refused(422, "invalid_request", errors=[error])
    after = paging.after(cursor, datetime, UUID)
    rows = session.all(
        """
        select e.*
        from events.search_events(
            q => %(q)s, city => %(city)s, category => %(category)s, organization_id => %(organization_id)s,
            series_id => %(series_id)s, instructor_id => %(instructor_id)s, availability => %(availability)s,
            price => %(price)s, starts_from => %(starts_from)s, starts_before => %(starts_before)s,
            after_starts_at => %(after_starts_at)s, after_id => %(after_id)s, most => %(most)s
        ) as e
        """,
        {
            **query.model_dump(),
            "after_starts_at": after[0] if after else None,
            "after_id": after[1] if after else None,
            "most": limit + 1,
        },
    )
    return paging.page(rows, limit, EventListing.model_validate, lambda row: (row["starts_at"], row["id"]))
