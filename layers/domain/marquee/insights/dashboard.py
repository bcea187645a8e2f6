"""A customer's overview of bookings, spending and waitlist entries."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from marquee.core.database import Session
from marquee.core.models import Answer

EventStatus = Literal["draft", "scheduled", "cancelled", "completed"]


class BookingCounts(Answer):
    """The number of bookings, in total and by status."""

    total: int
    pending: int
    confirmed: int
    cancelled: int
    refunded: int
    attended: int
    no_show: int
    late: Annotated[int, Field(description="Bookings that were cancelled late.")]
    expired: int
    upcoming: Annotated[int, Field(description="Confirmed bookings of future events.")]


class Spent(Answer):
    """The amount spent in a currency: bookings by any method, passes and fees, less what was returned.

    Wallet money counts when it is used.
    """

    currency: str
    amount_cents: int


class EventSummary(Answer):
    """A short description of an event."""

    event_id: UUID
    title: str
    status: EventStatus
    starts_at: datetime
    ends_at: datetime
    local_start: Annotated[str, Field(description="Start in the event's time zone, as in 2031-03-03T18:00:00.")]
    time_zone: str
    organization_id: UUID
    organization: str
    location: str | None


class UpcomingBooking(EventSummary):
    """A booking of a future event."""

    booking_id: UUID
    seats: int


class WaitlistPlace(EventSummary):
    """A waitlist entry, waiting or with an offer."""

    entry_id: UUID
    seats: int
    wait: Literal["waiting", "offered"]
    position: Annotated[int | None, Field(description="Position among waiting entries, from 1; null once offered.")]
    offer_expires_at: datetime | None


class Dashboard(Answer):
    """A customer's overview. Each list holds the next twenty items at most."""

    customer_id: UUID
    bookings: BookingCounts
    last_booked_at: datetime | None
    spent: list[Spent]
    upcoming: list[UpcomingBooking]
    waitlist: list[WaitlistPlace]


def read_dashboard(session: Session) -> Dashboard:
    """Return the caller's own overview. Refuses: 401 unauthenticated."""
    return Dashboard.model_validate(session.value("select events.customer_dashboard()"))
