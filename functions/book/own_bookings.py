"""GET /bookings and /bookings/{booking_id}: the caller's bookings."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path

from marquee.booking import bookings
from marquee.core import database, paging
from marquee.core.models import Id
from marquee.edge import http

routes = http.routes()


@routes.get("/bookings", tags=["bookings"])
def list_bookings(
    limit: http.PageSize = paging.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> Response[paging.Page[bookings.BookingDetails]]:
    """List the caller's bookings, newest first."""
    with database.single(http.caller(routes.current_event)) as session:
        return http.json(HTTPStatus.OK, bookings.mine(session, limit, cursor))


@routes.get("/bookings/<booking_id>", tags=["bookings"], responses=http.problems(404))
def get_booking(booking_id: Annotated[Id, Path()]) -> Response[bookings.BookingDetails]:
    """Get a booking of the caller, or of an organization where the caller is staff."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "read_records")) as session:
        return http.json(HTTPStatus.OK, bookings.get(session, booking_id))
