"""POST /bookings/{booking_id}/cancel: free a booking's seats, which are offered to the waitlist at once."""

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


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Serve a request."""
    return app.resolve(event, context)
