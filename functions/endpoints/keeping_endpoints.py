"""POST, GET /webhook-endpoints, GET /webhook-endpoints/{endpoint_id}: an organization's webhook endpoints."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from marquee.core import database, paging
from marquee.core.models import Id
from marquee.edge import http, secrets
from marquee.edge.observability import count
from marquee.messaging import endpoints

routes = http.routes()


@routes.post("/webhook-endpoints", tags=["webhooks"], status_code=201, responses=http.problems(403, 409))
def create_endpoint(
    request: Annotated[endpoints.EndpointRequest, Body()],
) -> Response[endpoints.EndpointWithSecret]:
    """Create an endpoint for the token's organization; its secret is shown only once."""
    event, keys = routes.current_event, secrets.webhook_keys()
    with database.single(http.caller(event), limit=http.limited(event, "webhooks")) as session:
        made = endpoints.create(session, request, keys)
    count("WebhookEndpointCreated")
    return http.json(HTTPStatus.CREATED, made)


@routes.get("/webhook-endpoints", tags=["webhooks"])
def list_endpoints(
    limit: http.PageSize = paging.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> Response[paging.Page[endpoints.Endpoint]]:
    """List the endpoints of the token's organization."""
    with database.single(http.caller(routes.current_event)) as session:
        return http.json(HTTPStatus.OK, endpoints.mine(session, limit, cursor))


@routes.get("/webhook-endpoints/<endpoint_id>", tags=["webhooks"], responses=http.problems(404))
def get_endpoint(endpoint_id: Annotated[Id, Path()]) -> Response[endpoints.Endpoint]:
    """Get an endpoint, without its secret."""
    with database.single(http.caller(routes.current_event)) as session:
        return http.json(HTTPStatus.OK, endpoints.get(session, endpoint_id))
