"""POST /webhooks/stripe/{event_id}/replay: handle one event of the inbox again."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path

import intake
from marquee.core import database
from marquee.edge import http
from marquee.edge.observability import count
from marquee.payments import inbox

routes = http.routes()


@routes.post(
    "/webhooks/stripe/<event_id>/replay",
    tags=["webhooks"],
    status_code=202,
    responses=http.problems(403, 404),
    openapi_extensions=http.SERVICE_ONLY,
)
def replay(event_id: Annotated[inbox.EventId, Path()]) -> Response[inbox.Replayed]:
    """Handle an event of the inbox again, whether it was handled or not; for the service role only."""
    with database.single(http.caller(routes.current_event)) as session:
        replayed = inbox.replay(session, event_id)
    count("WebhookReplayed")
    intake.hand_on(event_id)
    return http.json(HTTPStatus.ACCEPTED, replayed)
