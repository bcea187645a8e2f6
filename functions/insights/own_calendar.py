"""GET /bookings/calendar.ics: the caller's bookings as a calendar to subscribe to."""

from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from marquee.catalog import calendars
from marquee.core import clock, database
from marquee.edge import http

CALENDAR_SECONDS = 300
CALENDAR: dict[int, Any] = {
    200: {"description": "A calendar (RFC 5545).", "content": {"text/calendar": {"schema": {"type": "string"}}}}
}

routes = http.routes()


@routes.get("/bookings/calendar.ics", tags=["catalog"], responses={**CALENDAR, **http.problems(304)})
def bookings_calendar() -> Response[str]:
    """Get the caller's bookings as a calendar to subscribe to."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "calendar")) as session:
        text = calendars.of_caller(session, clock.now())
    response = http.text_of(HTTPStatus.OK, calendars.CONTENT_TYPE, text)
    return http.cacheable(event, response, seconds=CALENDAR_SECONDS, public=False)
