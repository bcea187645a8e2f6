"""Attendance for staff: the roster, and who came or did not come."""

from datetime import datetime
from uuid import UUID

from marquee.booking.bookings import PaymentMethod, Status
from marquee.core import paging
from marquee.core.database import Session
from marquee.core.models import Answer, Flag, Request


class NoShowRequest(Request):
    """Whether to waive the fee of a customer who did not come."""

    waive: Flag = False


class RosterLine(Answer):
    """A place at an event, and its customer."""

    booking_id: UUID
    customer_id: UUID
    name: str | None
    email: str | None
    seats: int
    guest: bool
    status: Status
    payment_method: PaymentMethod
    created_at: datetime


class Attendance(Answer):
    """A booking after its attendance was recorded."""

    id: UUID
    event_id: UUID
    customer_id: UUID
    seats: int
    status: Status
    fee_cents: int
    currency: str


def roster(session: Session, event_id: UUID, limit: int, cursor: str | None) -> paging.Page[RosterLine]:
    """List the places of an event in booking order. Refuses: 403 forbidden, 404 event_not_found."""
    after = paging.after(cursor, UUID)
    rows = session.all(
        "select r.* from events.roster(event_id => %s, after => %s, most => %s) as r",
        [event_id, after[0] if after else None, limit + 1],
    )
    return paging.page(rows, limit, RosterLine.model_validate, lambda row: (row["booking_id"],))


def record(session: Session, booking_id: UUID, *, attended: bool, waive: bool = False) -> Attendance:
    """Record that a customer came or did not come. Recording the same again returns the same.

    Refuses: 403 forbidden, 404 booking_not_found, 409 too_early, 409 invalid_transition.
    """
    answer = session.value(
        "select events.record_attendance(booking_id => %s, attended => %s, waive => %s)",
        [booking_id, attended, waive],
    )
    return Attendance.model_validate(answer)
