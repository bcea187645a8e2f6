"""Webhook endpoints of an organization and their deliveries, for its admins."""

import contextlib
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from marquee.core import database, paging, settings
from marquee.core.models import Id
from marquee.edge import http, queues, secrets
from marquee.edge.observability import LambdaContext, count, observed
from marquee.messaging import endpoints
from marquee.messaging.topics import Bundle

app = http.resolver()


@app.post("/webhook-endpoints", tags=["webhooks"], status_code=201, responses=http.problems(403, 409))
def create_endpoint(
    request: Annotated[endpoints.EndpointRequest, Body()],
) -> Response[endpoints.EndpointWithSecret]:
    """Create an endpoint for the token's organization; its secret is shown only once."""
    event, keys = app.current_event, secrets.webhook_keys()
    with database.single(http.caller(event), limit=http.limited(event, "webhooks")) as session:
        made = endpoints.create(session, request, keys)
    count("WebhookEndpointCreated")
    return http.json(HTTPStatus.CREATED, made)


@app.get("/webhook-endpoints", tags=["webhooks"])
def list_endpoints(
    limit: http.PageSize = paging.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> Response[paging.Page[endpoints.Endpoint]]:
    """List the endpoints of the token's organization."""
    with database.single(http.caller(app.current_event)) as session:
        return http.json(HTTPStatus.OK, endpoints.list_own(session, limit, cursor))


@app.get("/webhook-endpoints/<endpoint_id>", tags=["webhooks"], responses=http.problems(404))
def get_endpoint(endpoint_id: Annotated[Id, Path()]) -> Response[endpoints.Endpoint]:
    """Get an endpoint, without its secret."""
    with database.single(http.caller(app.current_event)) as session:
        return http.json(HTTPStatus.OK, endpoints.get(session, endpoint_id))


@app.patch("/webhook-endpoints/<endpoint_id>", tags=["webhooks"], responses=http.problems(403, 404))
def edit_endpoint(
    endpoint_id: Annotated[Id, Path()], request: Annotated[endpoints.EndpointEdit, Body()]
) -> Response[endpoints.Endpoint]:
    """Change the URL or the topics of an endpoint, or switch it off or on."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "webhooks")) as session:
        return http.json(HTTPStatus.OK, endpoints.edit(session, endpoint_id, request))


@app.delete("/webhook-endpoints/<endpoint_id>", tags=["webhooks"], status_code=204, responses=http.problems(403, 404))
def delete_endpoint(endpoint_id: Annotated[Id, Path()]) -> Response[None]:
    """Delete an endpoint, its secrets and its deliveries."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "webhooks")) as session:
        endpoints.delete(session, endpoint_id)
    return http.empty()


@app.post("/webhook-endpoints/<endpoint_id>/rotate-secret", tags=["webhooks"], responses=http.problems(403, 404, 409))
def rotate_secret(endpoint_id: Annotated[Id, Path()]) -> Response[endpoints.EndpointWithSecret]:
    """Create a new secret, shown only once; the old one stays valid for 24 hours."""
    event, keys = app.current_event, secrets.webhook_keys()
    with database.single(http.caller(event), limit=http.limited(event, "webhooks")) as session:
        return http.json(HTTPStatus.OK, endpoints.rotate_secret(session, endpoint_id, keys))


@app.get("/webhook-endpoints/<endpoint_id>/deliveries", tags=["webhooks"])
def list_deliveries(
    endpoint_id: Annotated[Id, Path()],
    status: Annotated[endpoints.Status | None, Query()] = None,
    limit: http.PageSize = paging.DEFAULT_LIMIT,
    cursor: http.Cursor = None,
) -> Response[paging.Page[endpoints.Delivery]]:
    """List the deliveries of the last 30 days to an endpoint with their attempts, newest first."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "read_records")) as session:
        return http.json(HTTPStatus.OK, endpoints.deliveries(session, endpoint_id, status, limit, cursor))


@app.post(
    "/webhook-endpoints/<endpoint_id>/test",
    tags=["webhooks"],
    status_code=202,
    responses=http.problems(403, 404, 409),
)
def test_endpoint(endpoint_id: Annotated[Id, Path()]) -> Response[endpoints.Delivery]:
    """Send a webhook.test to an endpoint now."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "webhooks")) as session:
        delivery = endpoints.test(session, endpoint_id)
    _wake()
    return http.json(HTTPStatus.ACCEPTED, delivery)


@app.post(
    "/webhook-deliveries/<delivery_id>/resend",
    tags=["webhooks"],
    status_code=202,
    responses=http.problems(403, 404, 409),
)
def resend_delivery(delivery_id: Annotated[Id, Path()]) -> Response[endpoints.Delivery]:
    """Send a delivery again now, whether it arrived or not; its webhook-id stays the same."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "webhooks")) as session:
        delivery = endpoints.resend(session, delivery_id)
    _wake()
    return http.json(HTTPStatus.ACCEPTED, delivery)


def _wake() -> None:
    """Ask for an immediate run. If the queue does not accept the message, the next minute's run sends the delivery."""
    with contextlib.suppress(queues.NotSent):
        queues.send(settings.current().require("deliver_queue_url"), Bundle(messages=[]))


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Serve a request."""
    return app.resolve(event, context)
