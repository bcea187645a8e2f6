"""POST /webhook-endpoints/{endpoint_id}/test, /webhook-deliveries/{delivery_id}/resend: send a delivery now."""

import contextlib
from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path

from marquee.core import database, settings
from marquee.core.models import Id
from marquee.edge import http, queues
from marquee.messaging import endpoints
from marquee.messaging.topics import Bundle

routes = http.routes()


@routes.post(
    "/webhook-endpoints/<endpoint_id>/test",
    tags=["webhooks"],
    status_code=202,
    responses=http.problems(403, 404, 409),
)
def test_endpoint(endpoint_id: Annotated[Id, Path()]) -> Response[endpoints.Delivery]:
    """Send a webhook.test to an endpoint now."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "webhooks")) as session:
        delivery = endpoints.test(session, endpoint_id)
    _wake()
    return http.json(HTTPStatus.ACCEPTED, delivery)


@routes.post(
    "/webhook-deliveries/<delivery_id>/resend",
    tags=["webhooks"],
    status_code=202,
    responses=http.problems(403, 404, 409),
)
def resend_delivery(delivery_id: Annotated[Id, Path()]) -> Response[endpoints.Delivery]:
    """Send a delivery again now, whether it arrived or not; its webhook-id stays the same."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "webhooks")) as session:
        delivery = endpoints.resend(session, delivery_id)
    _wake()
    return http.json(HTTPStatus.ACCEPTED, delivery)


def _wake() -> None:
    """Ask for an immediate run. If the queue does not accept the message, the next minute's run sends the delivery."""
    with contextlib.suppress(queues.NotSent):
        queues.send(settings.current().require("deliver_queue_url"), Bundle(messages=[]))
