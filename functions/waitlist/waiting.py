"""POST, GET, DELETE /events/{event_id}/waitlist: join the waitlist, read the caller's entry, leave."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from marquee.booking import waitlist
from marquee.core import database
from marquee.core.models import Id
from marquee.edge import http

routes = http.routes()


@routes.post("/events/<event_id>/waitlist", tags=["waitlist"], status_code=201, responses=http.problems(403, 404, 409))
def join(
    event_id: Annotated[Id, Path()], request: Annotated[waitlist.JoinRequest | None, Body()] = None
) -> Response[waitlist.Entry]:
    """Join the waitlist of an event that is full."""
    event, request = routes.current_event, request or waitlist.JoinRequest()
    limit = http.limited(event, "join_waitlist", customer_id=request.customer_id)
    with database.single(http.caller(event), limit=limit) as session:
        return http.json(HTTPStatus.CREATED, waitlist.join(session, event_id, request))


@routes.get("/events/<event_id>/waitlist", tags=["waitlist"], responses=http.problems(404))
def place(event_id: Annotated[Id, Path()]) -> Response[waitlist.Entry]:
    """Get the caller's position on the waitlist, or the open offer."""
    with database.single(http.caller(routes.current_event)) as session:
        return http.json(HTTPStatus.OK, waitlist.place(session, event_id))


@routes.delete("/events/<event_id>/waitlist", tags=["waitlist"], responses=http.problems(404, 409))
def leave(event_id: Annotated[Id, Path()]) -> Response[waitlist.Entry]:
    """Leave the waitlist."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "leave_waitlist")) as session:
        return http.json(HTTPStatus.OK, waitlist.leave(session, event_id))
