"""GET /webhook-endpoints/{endpoint_id}/deliveries: the deliveries of an endpoint and their attempts."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from marquee.core import database, paging
from marquee.core.models import Id
from marquee.edge import http
from marquee.messaging import endpoints

routes = http.routes()


@routes.get("/webhook-endpoints/<endpoint_id>/deliveries", tags=["webhooks"])
def list_deliveries(
    endpoint_id: Annotated[Id, Path()],
    status: Annotated[endpoints.Status | None, Query()] = None,
    limit: http.PageSize = paging.DEFAULT_LIMIT,
    cursor: http.Cursor = None,
) -> Response[paging.Page[endpoints.Delivery]]:
    """List the deliveries of the last 30 days to an endpoint with their attempts, newest first."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "read_records")) as session:
        return http.json(HTTPStatus.OK, endpoints.deliveries(session, endpoint_id, status, limit, cursor))
