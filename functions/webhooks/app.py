"""POST /webhooks/stripe: Stripe events, stored before the response is sent. One event can be replayed by its id."""

import contextlib
from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Header, Path
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from marquee.core import clock, database, settings
from marquee.core.errors import Refused
from marquee.edge import http, queues, requests, secrets
from marquee.edge.observability import LambdaContext, count, logger, observed
from marquee.payments import inbox, signatures
from marquee.payments.messages import HandleEvent

app = http.resolver()

BODY_BYTES_MAX = 1024 * 1024


@app.post("/webhooks/stripe", tags=["webhooks"], responses=http.problems(400))
def receive(
    signature: Annotated[str | None, Header(alias="Stripe-Signature", max_length=4096)] = None,
) -> Response[inbox.Receipt]:
    """Receive a Stripe event. The response is 200 once it is stored; a repeated event has no further effect."""
    with _refusals_counted():
        event, _body = _verified(app.current_event, signature)
        with database.single(database.service()) as session:
            receipt = inbox.receive(session, event)
    count("WebhookRepeated" if receipt.duplicate else "WebhookReceived")
    if receipt.waits:
        _enqueue(receipt.event_id)
    return http.json(HTTPStatus.OK, receipt)


@app.post(
    "/webhooks/stripe/<event_id>/replay",
    tags=["webhooks"],
    status_code=202,
    responses=http.problems(403, 404),
    openapi_extensions=http.SERVICE_ONLY,
)
def replay(event_id: Annotated[inbox.EventId, Path()]) -> Response[inbox.Replayed]:
    """Handle an event of the inbox again, whether it was handled or not; for the service role only."""
    with database.single(http.caller(app.current_event)) as session:
        replayed = inbox.replay(session, event_id)
    count("WebhookReplayed")
    _enqueue(event_id)
    return http.json(HTTPStatus.ACCEPTED, replayed)


def _verified(request: APIGatewayProxyEvent, header: str | None) -> tuple[inbox.Event, bytes]:
    """Return a request's event and raw body. Refuses 400 a body that Stripe did not just sign for us, in our mode."""
    body = requests.raw_body(request, bytes_max=BODY_BYTES_MAX)
    try:
        signatures.verify(body, header, secrets.signing_secrets(), now=clock.now().timestamp())
        event = inbox.parse(body)
    except signatures.NotSigned as error:
        raise Refused(400, error.reason) from error
    except inbox.NotAnEvent as error:
        raise Refused(400, "not_an_event") from error
    if event.livemode != (settings.current().stripe_mode == "live"):
        raise Refused(400, "wrong_mode")
    return event, body


@contextlib.contextmanager
def _refusals_counted() -> Iterator[None]:
    """Count refusals by reason, so that a wrong secret or a forgery shows as a rising line."""
    try:
        yield
    except Refused as refusal:
        count("WebhookRefused", reason=refusal.code)
        raise


def _enqueue(event_id: str) -> None:
    """Send an event to its handler. It is stored, so it is not lost: the sweep finds events without a message."""
    # Imported here because it loads boto3, which only sending needs.
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        queues.send(settings.current().require("stripe_events_queue_url"), HandleEvent(event_id=event_id))
    except (queues.NotSent, BotoCoreError, ClientError) as error:
        logger.error("webhook_not_queued", event_id=event_id, error=type(error).__name__)
        count("WebhookNotQueued")


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Serve a request."""
    return app.resolve(event, context)
