"""Cancel a booking, give some of its seats back, or move it. The freed seats are offered to the waitlist at once."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from marquee.booking import bookings
from marquee.core import database, previews
from marquee.core.models import Id
from marquee.edge import http
from marquee.edge.observability import LambdaContext, count, observed

app = http.resolver()


@app.post("/bookings/<booking_id>/cancel", tags=["bookings"], responses=http.problems(403, 404, 409, 429))
def cancel(
    booking_id: Annotated[Id, Path()],
    request: Annotated[bookings.CancelRequest | None, Body()] = None,
    *,
    preview: http.Preview = False,
) -> Response[bookings.CancelledBooking | previews.Preview]:
    """Cancel a booking of the caller, or of an organization where the caller is staff.

    A second call returns the same response.
    """
    event = app.current_event
    opened = database.preview if preview else database.single
    with opened(http.caller(event), limit=http.limited(event, "cancel")) as session:
        booking = bookings.cancel(session, booking_id, request or bookings.CancelRequest())
        if preview:
            return http.json(HTTPStatus.OK, previews.effects(session))
    count("BookingCancelled")
    return http.json(HTTPStatus.OK, booking)


@app.post("/bookings/<booking_id>/seats", tags=["bookings"], responses=http.problems(403, 404, 409, 429))
def return_seats(
    booking_id: Annotated[Id, Path()],
    request: Annotated[bookings.SeatsRequest, Body()],
    idempotency_key: http.IdempotencyKey = None,
) -> Response[bookings.ReducedBooking]:
    """Give some seats of a booking back; their share of the price is refunded by the booking's policy."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "cancel")) as session:
        booking = bookings.return_seats(session, booking_id, request, idempotency_key)
    count("SeatsReturned")
    return http.json(HTTPStatus.OK, booking)


@app.post("/bookings/<booking_id>/move", tags=["bookings"], responses=http.problems(402, 403, 404, 409, 429))
def move(
    booking_id: Annotated[Id, Path()],
    request: Annotated[bookings.MoveRequest, Body()],
    idempotency_key: http.IdempotencyKey = None,
) -> Response[bookings.MovedBooking]:
    """Move a booking to another event of the organization; only the difference of the prices is paid or refunded."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "cancel")) as session:
        booking = bookings.move(session, booking_id, request, idempotency_key)
    count("BookingMoved")
    return http.json(HTTPStatus.OK, booking)


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Serve a request."""
    return app.resolve(event, context)
