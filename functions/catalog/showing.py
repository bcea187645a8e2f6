"""GET /events/{event_id}: one public event with its details."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path

from marquee.catalog import details
from marquee.core import database, identity
from marquee.core.models import Id
from marquee.edge import http

EVENT_SECONDS = 30

routes = http.routes()


@routes.get("/events/<event_id>", tags=["catalog"], responses=http.problems(304, 404))
def get_event(event_id: Annotated[Id, Path()]) -> Response[details.EventDetails]:
    """Get a public event with its seats, place, instructor and organization."""
    with database.single(identity.anonymous()) as session:
        event = details.get(session, event_id)
    return http.cacheable(routes.current_event, http.json(HTTPStatus.OK, event), seconds=EVENT_SECONDS)
