"""GET …/calendar.ics: an event and a series as calendars to subscribe to."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path

from marquee.catalog import calendars
from marquee.core import clock, database, identity
from marquee.core.models import Id
from marquee.edge import http

CALENDAR_SECONDS = 300
CALENDAR: dict[int, Any] = {
    200: {"description": "A calendar (RFC 5545).", "content": {"text/calendar": {"schema": {"type": "string"}}}}
}

routes = http.routes()


@routes.get("/events/<event_id>/calendar.ics", tags=["catalog"], responses={**CALENDAR, **http.problems(304, 404)})
def event_calendar(event_id: Annotated[Id, Path()]) -> Response[str]:
    """Get an event as a calendar."""
    limit = http.limited(routes.current_event, "calendar")
    with database.single(identity.anonymous(), limit=limit) as session:
        return _calendar(calendars.of_event(session, event_id))


@routes.get("/series/<series_id>/calendar.ics", tags=["catalog"], responses={**CALENDAR, **http.problems(304, 404)})
def series_calendar(series_id: Annotated[Id, Path()]) -> Response[str]:
    """Get the events of a series as a calendar to subscribe to."""
    limit = http.limited(routes.current_event, "calendar")
    with database.single(identity.anonymous(), limit=limit) as session:
        return _calendar(calendars.of_series(session, series_id, clock.now()))


def _calendar(text: str) -> Response[str]:
    response = http.text_of(HTTPStatus.OK, calendars.CONTENT_TYPE, text)
    return http.cacheable(routes.current_event, response, seconds=CALENDAR_SECONDS)
