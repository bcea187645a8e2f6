"""PATCH, DELETE /webhook-endpoints/{endpoint_id}, POST …/rotate-secret: change or delete an endpoint or its secret."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from marquee.core import database
from marquee.core.models import Id
from marquee.edge import http, secrets
from marquee.messaging import endpoints

routes = http.routes()


@routes.patch("/webhook-endpoints/<endpoint_id>", tags=["webhooks"], responses=http.problems(403, 404))
def edit_endpoint(
    endpoint_id: Annotated[Id, Path()], request: Annotated[endpoints.EndpointEdit, Body()]
) -> Response[endpoints.Endpoint]:
    """Change the URL or the topics of an endpoint, or switch it off or on."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "webhooks")) as session:
        return http.json(HTTPStatus.OK, endpoints.edit(session, endpoint_id, request))


@routes.delete(
    "/webhook-endpoints/<endpoint_id>", tags=["webhooks"], status_code=204, responses=http.problems(403, 404)
)
def delete_endpoint(endpoint_id: Annotated[Id, Path()]) -> Response[None]:
    """Delete an endpoint, its secrets and its deliveries."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "webhooks")) as session:
        endpoints.delete(session, endpoint_id)
    return http.empty()


@routes.post(
    "/webhook-endpoints/<endpoint_id>/rotate-secret", tags=["webhooks"], responses=http.problems(403, 404, 409)
)
def rotate_secret(endpoint_id: Annotated[Id, Path()]) -> Response[endpoints.EndpointWithSecret]:
    """Create a new secret, shown only once; the old one stays valid for 24 hours."""
    event, keys = routes.current_event, secrets.webhook_keys()
    with database.single(http.caller(event), limit=http.limited(event, "webhooks")) as session:
        return http.json(HTTPStatus.OK, endpoints.rotate_secret(session, endpoint_id, keys))
