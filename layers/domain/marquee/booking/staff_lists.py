"""Lists for staff: an organization's events and bookings, the history of a booking, and the day at the desk."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from marquee.booking.bookings import PaymentMethod, Status
from marquee.core import csv_files, paging
from marquee.core.database import Session
from marquee.core.errors import Refused
from marquee.core.models import Answer

EventStatus = Literal["draft", "scheduled", "cancelled", "completed"]
Visibility = Literal["public", "private"]
Order = Literal["earliest", "latest"]

EVENTS_MOST = 500
"""The maximum number of events on a page: a week of a large organization."""

EVENT_COLUMNS = (
    "id", "title", "category", "starts_at", "ends_at", "time_zone", "status", "visibility", "price_cents", "currency",
    "location_name", "instructor_name", "absent_instructor_name", "substitution_note", "capacity", "taken", "held",
    "waitlisted", "seats_left",
)  # fmt: skip
BOOKING_COLUMNS = (
    "id", "event_title", "starts_at", "event_status", "name", "email", "seats", "guest", "status", "payment_method",
    "price_cents", "fee_cents", "currency", "unpaid", "created_at", "cancelled_at",
)  # fmt: skip

_EVENTS = """
select
    e.id, e.listed_organization_id as organization_id, e.listed_series_id as series_id, e.title, e.category,
    e.starts_at, e.listed_ends_at as ends_at, e.time_zone, e.status, e.listed_visibility as visibility, e.price_cents,
    e.currency, e.listed_location_id as location_id, e.location_name, e.listed_instructor_id as instructor_id,
    e.instructor_name, s.absent_instructor_id, s.absent_instructor_name, s.note as substitution_note, e.capacity,
    e.taken, e.held, e.waitlisted, e.seats_left
from events.organization_events(
    organization_id => %(organization_id)s, begins_at => %(begins_at)s, ends_at => %(ends_at)s,
    statuses => %(statuses)s::text[], visibility => %(visibility)s, location_id => %(location_id)s,
    instructor_id => %(instructor_id)s, series_id => %(series_id)s, words => %(words)s,
    newest_first => %(newest_first)s, after_starts_at => %(after_starts_at)s, after_id => %(after_id)s,
    most => %(most)s
) with ordinality as e
left join events.current_substitutions as s on s.event_id = e.id and s.instructor_id = e.listed_instructor_id
order by e.ordinality
"""
_BOOKINGS = """
select
    b.id, b.listed_organization_id as organization_id, b.listed_event_id as event_id, b.event_title, b.starts_at,
    b.time_zone, b.event_status, b.listed_customer_id as customer_id, b.name, b.email, b.seats, b.guest, b.status,
    b.payment_method, b.price_cents, b.fee_cents, b.currency, b.is_unpaid as unpaid, b.created_at, b.cancelled_at
from events.organization_bookings(
    organization_id => %(organization_id)s, event_id => %(event_id)s, customer_id => %(customer_id)s,
    begins_at => %(begins_at)s, ends_at => %(ends_at)s, statuses => %(statuses)s::text[],
    methods => %(methods)s::text[], unpaid => %(unpaid)s, words => %(words)s, after_starts_at => %(after_starts_at)s,
    after_event_id => %(after_event_id)s, after_id => %(after_id)s, most => %(most)s
) as b
"""


@dataclass(frozen=True, slots=True)
class EventFilters:
    """The events to list; None filters nothing. The start is from `begins_at` on and before `ends_at`."""

    begins_at: datetime | None = None
    ends_at: datetime | None = None
    status: EventStatus | None = None
    visibility: Visibility | None = None
    location_id: UUID | None = None
    instructor_id: UUID | None = None
    series_id: UUID | None = None
    words: str | None = None
    order: Order = "earliest"

    def given(self, organization_id: UUID, most: int, after: Sequence[Any] | None) -> dict[str, Any]:
        """Return the parameters of the query for up to `most` events after a place in the list."""
        starts_at, event_id = after or (None, None)
        return {
            **asdict(self),
            "statuses": None if self.status is None else [self.status],
            "newest_first": self.order == "latest",
            "organization_id": organization_id,
            "after_starts_at": starts_at,
            "after_id": event_id,
            "most": most,
        }


@dataclass(frozen=True, slots=True)
class BookingFilters:
    """The bookings to list; None filters nothing. The event's start is from `begins_at` on and before `ends_at`."""

    begins_at: datetime | None = None
    ends_at: datetime | None = None
    event_id: UUID | None = None
    customer_id: UUID | None = None
    status: Status | None = None
    payment_method: PaymentMethod | None = None
    unpaid: bool | None = None
    words: str | None = None

    def given(self, organization_id: UUID, most: int, after: Sequence[Any] | None) -> dict[str, Any]:
        """Return the parameters of the query for up to `most` bookings after a place in the list."""
        starts_at, event_id, booking_id = after or (None, None, None)
        return {
            **asdict(self),
            "statuses": None if self.status is None else [self.status],
            "methods": None if self.payment_method is None else [self.payment_method],
            "organization_id": organization_id,
            "after_starts_at": starts_at,
            "after_event_id": event_id,
            "after_id": booking_id,
            "most": most,
        }


class StaffEvent(Answer):
    """An event as its organization's members see it, also a draft or a private one."""

    id: UUID
    organization_id: UUID
    series_id: UUID | None
    title: str
    category: str | None
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    status: EventStatus
    visibility: Visibility
    price_cents: int
    currency: str
    location_id: UUID | None
    location_name: str | None
    instructor_id: UUID | None
    instructor_name: str | None
    absent_instructor_id: Annotated[UUID | None, Field(description="For whom the instructor substitutes.")] = None
    absent_instructor_name: str | None = None
    substitution_note: Annotated[str | None, Field(description="A note of staff about the substitution.")] = None
    capacity: Annotated[int | None, Field(description="Null: no limit.")]
    taken: int
    held: int
    waitlisted: int
    seats_left: int | None


class StaffBooking(Answer):
    """A booking with its customer and its event."""

    id: UUID
    organization_id: UUID
    event_id: UUID
    event_title: str
    starts_at: datetime
    time_zone: str
    event_status: EventStatus
    customer_id: UUID
    name: str | None
    email: str | None
    seats: int
    guest: bool
    status: Status
    payment_method: PaymentMethod
    price_cents: int
    fee_cents: int
    currency: str
    unpaid: Annotated[bool, Field(description="Whether its payment is pending, or its invoice or fee is open.")]
    created_at: datetime
    cancelled_at: datetime | None


class HistoryEntry(Answer):
    """A change of a booking, or a movement of its money."""

    at: datetime
    kind: Literal["booked", "status", "sold", "refund", "fee", "invoice"]
    from_state: Annotated[str | None, Field(alias="from")]
    to_state: Annotated[str | None, Field(alias="to")]
    amount_cents: int | None
    method: Annotated[str | None, Field(description="The payment method, or the destination of a refund.")]
    actor: Literal["customer", "staff", "system"]
    actor_id: Annotated[UUID | None, Field(description="Only staff see which staff member acted.")]
    reason: str | None


class History(Answer):
    """The changes and the movements of money of a booking, in the order of their time."""

    booking_id: UUID
    event_id: UUID
    customer_id: UUID
    status: Status
    currency: str
    entries: list[HistoryEntry]


class DayEvent(Answer):
    """An event of the day, with the numbers of its customers."""

    id: UUID
    title: str
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    status: EventStatus
    visibility: Visibility
    location_id: UUID | None
    location_name: str | None
    instructor_id: UUID | None
    instructor_name: str | None
    absent_instructor_id: Annotated[UUID | None, Field(description="For whom the instructor substitutes.")] = None
    absent_instructor_name: str | None = None
    substitution_note: Annotated[str | None, Field(description="A note of staff about the substitution.")] = None
    capacity: int | None
    taken: int
    held: int
    expected: Annotated[int, Field(description="Confirmed bookings without a mark of attendance.")]
    present: int
    absent: int
    waiting: Annotated[int, Field(description="Waitlist entries that wait for an offer.")]
    unpaid: int


class UnpaidBooking(Answer):
    """A booking of the day for which money is still to be received."""

    id: UUID
    event_id: UUID
    customer_id: UUID
    name: str | None
    seats: int
    status: Status
    payment_method: PaymentMethod
    price_cents: int
    fee_cents: int
    currency: str


class DeskDay(Answer):
    """A day of an organization: its events, and its unpaid bookings."""

    organization_id: UUID
    day: date
    time_zone: str
    events: Annotated[list[DayEvent], Field(description="At most 500.")]
    unpaid: Annotated[list[UnpaidBooking], Field(description="At most 200; empty for instructors.")]


def list_events(
    session: Session, organization_id: UUID, filters: EventFilters, limit: int, cursor: str | None
) -> paging.Page[StaffEvent]:
    """List an organization's events for its members. Refuses: 403 forbidden, 404 organization_not_found."""
    after = paging.after(cursor, datetime, UUID)
    rows = session.all(_EVENTS, filters.given(organization_id, limit + 1, after))
    return paging.page(rows, limit, StaffEvent.model_validate, lambda row: (row["starts_at"], row["id"]))


def events_csv(session: Session, organization_id: UUID, filters: EventFilters) -> str:
    """Return an organization's events as CSV. Refuses as list_events does, and 422 for too many events."""
    rows = session.all(_EVENTS, filters.given(organization_id, csv_files.ROWS_MAX + 1, None))
    return csv_files.write(EVENT_COLUMNS, _whole(rows))


def list_bookings(
    session: Session, organization_id: UUID, filters: BookingFilters, limit: int, cursor: str | None
) -> paging.Page[StaffBooking]:
    """List an organization's bookings for its staff. Refuses: 403 forbidden, 404 organization_not_found."""
    after = paging.after(cursor, datetime, UUID, UUID)
    rows = session.all(_BOOKINGS, filters.given(organization_id, limit + 1, after))
    return paging.page(
        rows, limit, StaffBooking.model_validate, lambda row: (row["starts_at"], row["event_id"], row["id"])
    )


def bookings_csv(session: Session, organization_id: UUID, filters: BookingFilters) -> str:
    """Return an organization's bookings as CSV. Refuses as list_bookings does, and 422 for too many bookings."""
    rows = session.all(_BOOKINGS, filters.given(organization_id, csv_files.ROWS_MAX + 1, None))
    return csv_files.write(BOOKING_COLUMNS, _whole(rows))


def history(session: Session, booking_id: UUID) -> History:
    """Return the history of a booking, for its customer and for staff. Refuses: 404 booking_not_found."""
    return History.model_validate(session.value("select events.booking_history(booking_id => %s)", [booking_id]))


def day(session: Session, organization_id: UUID, on_day: date | None, location_id: UUID | None) -> DeskDay:
    """Return a day of an organization for its desk. Refuses: 403 forbidden, 404 organization_not_found."""
    query = "select events.organization_day(organization_id => %s, day => %s, location_id => %s)"
    return DeskDay.model_validate(session.value(query, [organization_id, on_day, location_id]))


def _whole(rows: list[Any]) -> list[Any]:
    """Return all rows, or refuse a file that would lack some."""
    if len(rows) > csv_files.ROWS_MAX:
        raise Refused(
            422,
            "invalid_request",
            f"There are more than {csv_files.ROWS_MAX} rows. Choose a shorter period or a filter.",
        )
    return rows
