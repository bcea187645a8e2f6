"""Attendance for staff: the roster, and who came or did not come."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from psycopg.types.json import Jsonb
from pydantic import ConfigDict, Field

from marquee.booking.bookings import PaymentMethod, Status
from marquee.core import paging
from marquee.core.database import Session
from marquee.core.models import Answer, Flag, Id, Moment, Request
from marquee.core.text_types import Line

MARKS_MAX = 500


class NoShowRequest(Request):
    """Whether to waive the fee of a customer who did not come."""

    waive: Flag = False


class Mark(Request):
    """One mark that a device at the door recorded."""

    key: Annotated[Line, Field(min_length=1, max_length=100, description="The device's own id of this mark.")]
    booking_id: Id
    attended: Flag
    at: Annotated[Moment, Field(description="When the mark was made. The latest mark of a booking counts.")]
    waive: Annotated[Flag, Field(description="Whether to waive the fee of a customer who did not come.")] = False


class MarksRequest(Request):
    """Marks of an event. They may come twice, late and in any order."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "marks": [
                        {
                            "key": "door-1-0001",
                            "booking_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a",
                            "attended": True,
                            "at": "2030-01-31T18:02:11Z",
                        }
                    ]
                }
            ]
        }
    )

    marks: Annotated[list[Mark], Field(min_length=1, max_length=MARKS_MAX)]


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
    names: Annotated[list[str], Field(description="The people who attend, as the customer named them.")]


class Attendance(Answer):
    """A booking after its attendance was recorded."""

    id: UUID
    event_id: UUID
    customer_id: UUID
    seats: int
    names: Annotated[list[str], Field(description="The people who attend, as the customer named them.")]
    status: Status
    fee_cents: int
    currency: str


class MarkResult(Answer):
    """The result of a mark."""

    key: str
    result: Annotated[
        Literal["recorded", "superseded", "refused"],
        Field(description="recorded: this mark counts. superseded: a later mark of the booking counts."),
    ]
    code: Annotated[
        Literal["booking_not_found", "invalid_transition", "mark_in_future"] | None,
        Field(description="Why the mark was refused. invalid_transition: the booking is not confirmed."),
    ]
    booking: Annotated[Attendance | None, Field(description="The booking after all marks.")]


class MarkResults(Answer):
    """The results, in the order of the marks."""

    results: list[MarkResult]


def roster(session: Session, event_id: UUID, limit: int, cursor: str | None) -> paging.Page[RosterLine]:
    """List the places of an event in booking order. Refuses: 403 forbidden, 404 event_not_found."""
    after = paging.after(cursor, UUID)
    rows = session.all(
        "select r.* from events.roster_v2(event_id => %s, after => %s, most => %s) as r",
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


def excuse(session: Session, booking_id: UUID) -> Attendance:
    """Record an excuse for a no-show: it costs no fee, and does not count against the customer.

    Excusing it again returns the same.

    Refuses: 403 forbidden, 404 booking_not_found, 409 not_a_no_show.
    """
    answer = session.value("select events.excuse_no_show(booking_id => %s)", [booking_id])
    return Attendance.model_validate(answer)


def mark(session: Session, event_id: UUID, request: MarksRequest) -> MarkResults:
    """Record marks of an event, each with its own result. The latest mark of a booking counts.

    Refuses: 403 forbidden, 404 event_not_found, 409 too_early.
    """
    marks = [one.model_dump(mode="json") for one in request.marks]
    results = session.value("select events.mark_attendance(event_id => %s, marks => %s)", [event_id, Jsonb(marks)])
    return MarkResults.model_validate({"results": results})
