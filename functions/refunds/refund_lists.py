"""GET /refunds, /events/{event_id}/refunds: refunds and their progress."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path

from marquee.core import database, paging
from marquee.core.models import Id
from marquee.edge import http
from marquee.payments import refund_requests
from marquee.payments.refund_requests import Progress, Refund

routes = http.routes()


@routes.get("/refunds", tags=["refunds"])
def list_refunds(
    limit: http.PageSize = paging.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> Response[paging.Page[Refund]]:
    """List the caller's refunds and those of organizations where the caller keeps the books, newest first."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "read_records")) as session:
        return http.json(HTTPStatus.OK, refund_requests.visible(session, limit, cursor))


@routes.get("/events/<event_id>/refunds", tags=["refunds"], responses=http.problems(404))
def get_progress(event_id: Annotated[Id, Path()]) -> Response[Progress]:
    """Get the progress of an event's refunds."""
    with database.single(http.caller(routes.current_event)) as session:
        return http.json(HTTPStatus.OK, refund_requests.progress(session, event_id))
