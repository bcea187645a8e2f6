"""Attendance for staff: the roster of an event, and who came or did not come."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from marquee.booking import attendance
from marquee.core import database, paging
from marquee.core.models import Id
from marquee.edge import http
from marquee.edge.observability import LambdaContext, observed

app = http.resolver()


@app.get("/events/<event_id>/roster", tags=["attendance"], responses=http.problems(403, 404))
def roster(
    event_id: Annotated[Id, Path()], limit: http.PageSize = paging.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> Response[paging.Page[attendance.RosterLine]]:
    """List the customers with a place at an event, in the order in which they booked; for staff."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "read_records")) as session:
        return http.json(HTTPStatus.OK, attendance.roster(session, event_id, limit, cursor))


@app.post("/bookings/<booking_id>/attended", tags=["attendance"], responses=http.problems(403, 404, 409))
def attended(booking_id: Annotated[Id, Path()]) -> Response[attendance.Attendance]:
    """Record that the customer came."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "record_attendance")) as session:
        return http.json(HTTPStatus.OK, attendance.record(session, booking_id, attended=True))


@app.post("/bookings/<booking_id>/no-show", tags=["attendance"], responses=http.problems(403, 404, 409))
def no_show(
    booking_id: Annotated[Id, Path()], request: Annotated[attendance.NoShowRequest | None, Body()] = None
) -> Response[attendance.Attendance]:
    """Record that the customer did not come; the booking's policy sets the fee."""
    waive = request is not None and request.waive
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "record_attendance")) as session:
        return http.json(HTTPStatus.OK, attendance.record(session, booking_id, attended=False, waive=waive))


@app.post("/bookings/<booking_id>/excuse", tags=["attendance"], responses=http.problems(403, 404, 409))
def excuse(booking_id: Annotated[Id, Path()]) -> Response[attendance.Attendance]:
    """Record an excuse for a no-show: its fee is returned, and it does not count against the customer."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "record_attendance")) as session:
        return http.json(HTTPStatus.OK, attendance.excuse(session, booking_id))


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Serve a request."""
    return app.resolve(event, context)
