"""POST /waitlist/{entry_id}/accept and /decline: accept or decline offered seats."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from marquee.booking import waitlist
from marquee.core import database
from marquee.core.models import Id
from marquee.edge import http

routes = http.routes()


@routes.post("/waitlist/<entry_id>/accept", tags=["waitlist"], responses=http.problems(402, 403, 404, 409))
def accept(
    entry_id: Annotated[Id, Path()],
    request: Annotated[waitlist.AcceptRequest | None, Body()] = None,
    idempotency_key: http.IdempotencyKey = None,
) -> Response[waitlist.Entry]:
    """Accept the offered seats and book them."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "accept_offer")) as session:
        entry = waitlist.accept(session, entry_id, request or waitlist.AcceptRequest(), idempotency_key)
    return http.json(HTTPStatus.OK, entry)


@routes.post("/waitlist/<entry_id>/decline", tags=["waitlist"], responses=http.problems(404, 409))
def decline(entry_id: Annotated[Id, Path()]) -> Response[waitlist.Entry]:
    """Decline an offer; the seats are offered to the next person at once."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "leave_waitlist")) as session:
        return http.json(HTTPStatus.OK, waitlist.decline(session, entry_id))
