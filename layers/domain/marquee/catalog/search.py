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
RANKS = 7
"""The ranks of words are 1 to 6, and 0 without words that rank."""


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
    """Search events by the rank of their words, then by start. Events that have started are not found.

    Refuses: 422 invalid_request for a window that ends before it starts.
    """
    if query.starts_from and query.starts_before and query.starts_before <= query.starts_from:
        error = {"path": ["query", "to"], "kind": "range", "message": "`to` must be later than `from`."}
        raise Refused(422, "invalid_request", errors=[error])
    rank, starts_at, event_id = _after(query, cursor)
    rows = session.all(
        """
        select s.rank, (s.listing).*
        from events.search_listings(
            q => %(q)s, city => %(city)s, category => %(category)s, organization_id => %(organization_id)s,
            series_id => %(series_id)s, instructor_id => %(instructor_id)s, availability => %(availability)s,
            price => %(price)s, starts_from => %(starts_from)s, starts_before => %(starts_before)s,
            after_rank => %(after_rank)s, after_starts_at => %(after_starts_at)s, after_id => %(after_id)s,
            most => %(most)s
        ) as s
        """,
        {
            **query.model_dump(),
            "after_rank": rank,
            "after_starts_at": starts_at,
            "after_id": event_id,
            "most": limit + 1,
        },
    )
    keys = ("starts_at", "id") if query.q is None else ("rank", "starts_at", "id")
    return paging.page(rows, limit, EventListing.model_validate, lambda row: [row[key] for key in keys])


def _after(query: EventQuery, cursor: str | None) -> tuple[paging.Key | None, paging.Key | None, paging.Key | None]:
    """Return rank, start and id of the last event of the page before. Only events found by words have a rank."""
    if cursor is None:
        return None, None, None
    if query.q is None:
        starts_at, event_id = paging.after(cursor, datetime, UUID) or (None, None)
        return 0, starts_at, event_id
    rank, starts_at, event_id = paging.after(cursor, range(RANKS), datetime, UUID) or (None, None, None)
    return rank, starts_at, event_id
