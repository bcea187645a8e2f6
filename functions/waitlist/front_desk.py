"""GET /events/{event_id}/waitlist/entries, POST …/promote: list the waitlist and offer seats; for staff."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path

from marquee.booking import waitlist
from marquee.core import database, paging
from marquee.core.models import Id
from marquee.edge import http

routes = http.routes()


@routes.get("/events/<event_id>/waitlist/entries", tags=["waitlist"], responses=http.problems(403, 404))
def entries(
    event_id: Annotated[Id, Path()], limit: http.PageSize = paging.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> Response[paging.Page[waitlist.ListedEntry]]:
    """List the waitlist entries of an event, in order; for staff."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "read_records")) as session:
        return http.json(HTTPStatus.OK, waitlist.entries(session, event_id, limit, cursor))


@routes.post("/events/<event_id>/waitlist/promote", tags=["waitlist"], responses=http.problems(403, 404))
def promote(event_id: Annotated[Id, Path()]) -> Response[waitlist.Promotion]:
    """Offer free seats to the waitlist now; for staff."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "promote_waitlist")) as session:
        return http.json(HTTPStatus.OK, waitlist.promote(session, event_id))
