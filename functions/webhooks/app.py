"""POST /webhooks/stripe: Stripe events, stored before the response is sent. One event can be replayed by its id."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Header

import intake
import replaying
from marquee.core import database
from marquee.edge import http
from marquee.edge.observability import LambdaContext, count, observed
from marquee.payments import inbox

app = http.resolver(replaying.routes)


@app.post("/webhooks/stripe", tags=["webhooks"], responses=http.problems(400))
def receive(
    signature: Annotated[str | None, Header(alias="Stripe-Signature", max_length=4096)] = None,
) -> Response[inbox.Receipt]:
    """Receive a Stripe event. The response is 200 once it is stored; a repeated event has no further effect."""
    with intake.refusals_counted():
        event, _body = intake.verified(app.current_event, signature)
        with database.single(database.service()) as session:
            receipt = inbox.receive(session, event)
    count("WebhookRepeated" if receipt.duplicate else "WebhookReceived")
    if receipt.waits:
        intake.hand_on(receipt.event_id)
    return http.json(HTTPStatus.OK, receipt)


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Serve a request."""
    return app.resolve(event, context)
