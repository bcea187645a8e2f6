"""GET /refunds, /events/{event_id}/refunds: what goes back, and how far it has come."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path

from marquee.core import database, paging
from marquee.core.models import Id
from marquee.edge import http
from marquee.payments import refunding
from marquee.payments.refunding import Progress, Refund

routes = http.routes()


@routes.get("/refunds", tags=["refunds"])
def list_refunds(
    limit: http.PageSize = paging.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> Response[paging.Page[Refund]]:
    """One's own refunds, and those of the organizations whose money one keeps, newest first."""
    with database.single(http.caller(routes.current_event)) as session:
        return http.json(HTTPStatus.OK, refunding.visible(session, limit, cursor))


@routes.get("/events/<event_id>/refunds", tags=["refunds"], responses=http.problems(404))
def get_progress(event_id: Annotated[Id, Path()]) -> Response[Progress]:
    """How far an event's refunds have come."""
    with database.single(http.caller(routes.current_event)) as session:
        return http.json(HTTPStatus.OK, refunding.progress(session, event_id))
