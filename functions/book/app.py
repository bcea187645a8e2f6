"""POST /bookings: take seats at an event; GET /bookings: one's own; POST and DELETE /holds: keep seats for a while."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from marquee.booking import bookings, holds
from marquee.core import database, paging
from marquee.core.models import Id
from marquee.edge import http
from marquee.edge.observability import LambdaContext, count, observed

app = http.resolver()


@app.post("/bookings", tags=["bookings"], status_code=201, responses=http.problems(402, 404, 409, 429))
def book(
    request: Annotated[bookings.BookingRequest, Body()], idempotency_key: http.IdempotencyKey = None
) -> Response[bookings.Booking]:
    """Take seats at an event, all of them or none. With an Idempotency-Key, a retry has one effect and one answer."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "book")) as session:
        booking = bookings.book(session, request, idempotency_key)
    count("BookingConfirmed")
    return http.text_json(HTTPStatus.CREATED, booking)


@app.get("/bookings", tags=["bookings"])
def list_bookings(
    limit: http.PageSize = paging.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> Response[paging.Page[bookings.BookingDetails]]:
    """One's own bookings, newest first."""
    with database.single(http.caller(app.current_event)) as session:
        return http.json(HTTPStatus.OK, bookings.mine(session, limit, cursor))


@app.get("/bookings/<booking_id>", tags=["bookings"], responses=http.problems(404))
def get_booking(booking_id: Annotated[Id, Path()]) -> Response[bookings.BookingDetails]:
    """A booking: one's own, or one of the organization that one works for."""
    with database.single(http.caller(app.current_event)) as session:
        return http.json(HTTPStatus.OK, bookings.get(session, booking_id))


@app.post("/holds", tags=["bookings"], status_code=201, responses=http.problems(404, 409))
def hold(request: Annotated[holds.HoldRequest, Body()]) -> Response[holds.Hold]:
    """Keep seats for some minutes, to book them with hold_id."""
    with database.single(http.caller(app.current_event)) as session:
        return http.json(HTTPStatus.CREATED, holds.hold(session, request))


@app.delete("/holds/<hold_id>", tags=["bookings"], responses=http.problems(404, 409))
def release(hold_id: Annotated[Id, Path()]) -> Response[holds.Hold]:
    """Let a hold go before it lapses."""
    with database.single(http.caller(app.current_event)) as session:
        return http.json(HTTPStatus.OK, holds.release(session, hold_id))


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer a request."""
    return app.resolve(event, context)
