"""A customer's own bookings, spending and waits at a glance."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from marquee.core.database import Session
from marquee.core.models import Answer

EventStatus = Literal["draft", "scheduled", "cancelled", "completed"]


class BookingCounts(Answer):
    """How many bookings there are, by what became of them."""

    total: int
    pending: int
    confirmed: int
    cancelled: int
    refunded: int
    attended: int
    no_show: int
    expired: int
    upcoming: Annotated[int, Field(description="Confirmed ones of events to come.")]


class Spent(Answer):
    """What was spent in a currency: the price of what stands, and fees."""

    currency: str
    amount_cents: int


class EventSummary(Answer):
    """What an event is, in a few words."""

    event_id: UUID
    title: str
    status: EventStatus
    starts_at: datetime
    ends_at: datetime
    local_start: Annotated[str, Field(description="In the event's zone, as 2031-03-03T18:00:00.")]
    time_zone: str
    organization_id: UUID
    organization: str
    location: str | None


class UpcomingBooking(EventSummary):
    """A booking of an event to come."""

    booking_id: UUID
    seats: int


class WaitlistPlace(EventSummary):
    """A wait for seats, or an offer of some."""

    entry_id: UUID
    seats: int
    wait: Literal["waiting", "offered"]
    position: Annotated[int | None, Field(description="From 1, among those who wait; null once offered.")]
    offer_expires_at: datetime | None


class Dashboard(Answer):
    """A customer's overview; the lists hold what comes first, at most twenty of each."""

    customer_id: UUID
    bookings: BookingCounts
    last_booked_at: datetime | None
    spent: list[Spent]
    upcoming: list[UpcomingBooking]
    waitlist: list[WaitlistPlace]


def of_caller(session: Session) -> Dashboard:
    """The caller's own overview. Refuses: 401 unauthenticated."""
    return Dashboard.model_validate(session.value("select events.customer_dashboard()"))
