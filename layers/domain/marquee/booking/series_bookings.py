"""Book a whole series, or the rest of it: each occurrence by the rules of a single booking, with its own result."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from marquee.booking import bookings
from marquee.booking.bookings import Booking, BookingRequest
from marquee.core import database
from marquee.core.database import Limit, Session
from marquee.core.errors import Refused
from marquee.core.identity import Caller
from marquee.core.models import Answer, Moment, Request, Seats

OCCURRENCES_MOST = 60

_OCCURRENCES = """
select o.*
from events.series as s
left join lateral (
    select
        e.id as event_id, e.title, e.starts_at, e.ends_at, e.time_zone, t.price_cents, t.currency,
        events.seats_left(i) as seats_left, events.open_to_everybody(t) as open, b.id as booking_id,
        b.seats as booked_seats
    from events.events as e
    inner join events.terms as t on t.event_id = e.id and t.starts_at = e.starts_at
    inner join events.inventory as i on i.event_id = e.id
    left join events.bookings as b
        on
            b.event_id = e.id and b.customer_id = (select ops.caller_id()) and not b.guest
            and b.status in ('pending_payment', 'held', 'confirmed')
    where
        e.series_id = s.id
        and e.status = 'scheduled'
        and e.starts_at > statement_timestamp()
        and e.starts_at >= coalesce(%(first)s::timestamptz, statement_timestamp())
    order by e.starts_at, e.id
    limit %(most)s
) as o on true
where s.id = %(series_id)s
order by o.starts_at, o.event_id
"""
"""The occurrences of a series. One row of nulls for a series without any, and no row for an unknown series."""


class SeriesBookingRequest(Request):
    """Seats at each occurrence of a series, from a start on."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"seats": 1}]})

    start: Annotated[Moment | None, Field(alias="from", description="The first start. Default: the next one.")] = None
    seats: Seats = 1
    payment_method: Annotated[
        Literal["wallet", "pass", "invoice"] | None,
        Field(description="How to pay for each occurrence with a price. A card pays single bookings only."),
    ] = None


class Occurrence(Answer):
    """A future occurrence of a series, with its free seats and the caller's booking."""

    event_id: UUID
    title: str
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    price_cents: Annotated[int, Field(description="The present price of a seat, before tax that is added.")]
    currency: str
    seats_left: Annotated[int | None, Field(description="Null: no limit.")]
    open: Annotated[bool, Field(description="Whether anyone may book it now.")]
    booking_id: Annotated[UUID | None, Field(description="The caller's own booking of it.")]
    booked_seats: int | None


class SeriesAvailability(Answer):
    """The future occurrences of a series, by start."""

    series_id: UUID
    occurrences: Annotated[list[Occurrence], Field(description="At most 60.")]
    next_from: Annotated[datetime | None, Field(description="Send it as `from` for further occurrences.")]


class OccurrenceResult(Answer):
    """The result of booking one occurrence."""

    event_id: UUID
    starts_at: datetime
    result: Literal["booked", "refused"]
    code: Annotated[str | None, Field(description="Why it was refused: a code of POST /bookings.")]
    details: Annotated[Mapping[str, Any], Field(description="The members of the refusal, such as `seats_left`.")]
    booking: Booking | None


class SeriesBookings(Answer):
    """The results of booking a series, by start."""

    series_id: UUID
    results: list[OccurrenceResult]
    next_from: Annotated[datetime | None, Field(description="Send it as `from` to book further occurrences.")]


def read_availability(session: Session, series_id: UUID, first: datetime | None) -> SeriesAvailability:
    """Return the future occurrences of a series, from a start on. Refuses: 404 series_not_found."""
    rows = session.all(_OCCURRENCES, {"series_id": series_id, "first": first, "most": OCCURRENCES_MOST + 1})
    if not rows:
        raise Refused(404, "series_not_found")
    found = [Occurrence.model_validate(row) for row in rows if row["event_id"] is not None]
    further = found[OCCURRENCES_MOST].starts_at if len(found) > OCCURRENCES_MOST else None
    return SeriesAvailability(series_id=series_id, occurrences=found[:OCCURRENCES_MOST], next_from=further)


def book_series(
    caller: Caller, series_id: UUID, request: SeriesBookingRequest, key: str | None, limit: Limit | None
) -> SeriesBookings:
    """Book each occurrence of a series in a transaction of its own, at most 60.

    Each occurrence has a key of its own, derived from the request's. So a repeated request books nothing twice, and
    tries again what was refused. A fault stops the request, and the bookings made so far stay.

    Refuses: 400 idempotency_key_required, 404 series_not_found.
    """
    if key is None:
        raise Refused(
            400,
            "idempotency_key_required",
            "Send an Idempotency-Key header, so that a retry books no occurrence twice.",
        )
    with database.single(caller, limit=limit) as session:
        available = read_availability(session, series_id, request.start)
    results = [_book_one(caller, occurrence, request, key) for occurrence in available.occurrences]
    return SeriesBookings(series_id=series_id, results=results, next_from=available.next_from)


def _book_one(caller: Caller, occurrence: Occurrence, request: SeriesBookingRequest, key: str) -> OccurrenceResult:
    """Book one occurrence. A refusal is its result."""
    own_key = hashlib.sha256(f"series:{occurrence.event_id}:{key}".encode()).hexdigest()
    method = request.payment_method if occurrence.price_cents > 0 else None
    wanted = BookingRequest(event_id=occurrence.event_id, seats=request.seats, payment_method=method)
    try:
        with database.single(caller) as session:
            answer = bookings.book(session, wanted, own_key).answer
    except Refused as refusal:
        return OccurrenceResult(
            event_id=occurrence.event_id,
            starts_at=occurrence.starts_at,
            result="refused",
            code=refusal.code,
            details=dict(refusal.extensions),
            booking=None,
        )
    return OccurrenceResult(
        event_id=occurrence.event_id,
        starts_at=occurrence.starts_at,
        result="booked",
        code=None,
        details={},
        booking=Booking.model_validate(json.loads(answer)),
    )
