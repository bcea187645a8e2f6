"""From a request to a verified Stripe event, and on to the function that handles it."""

import contextlib
from collections.abc import Iterator

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from marquee.core import clock, settings
from marquee.core.errors import Refused
from marquee.edge import queues, requests, secrets
from marquee.edge.observability import count, logger
from marquee.payments import inbox, signatures
from marquee.payments.work import HandleEvent

BODY_BYTES_MAX = 1024 * 1024


def verified(request: APIGatewayProxyEvent, header: str | None) -> tuple[inbox.Event, bytes]:
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
def refusals_counted() -> Iterator[None]:
    """Count refusals by reason, so that a wrong secret or a forgery shows as a rising line."""
    try:
        yield
    except Refused as refusal:
        count("WebhookRefused", reason=refusal.code)
        raise


def hand_on(event_id: str) -> None:
    """Send an event to its handler. It is stored, so it is not lost: the sweep finds events without a message."""
    # Imported here because it loads boto3, which only sending needs.
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        queues.send(settings.current().require("stripe_events_queue_url"), HandleEvent(event_id=event_id))
    except (queues.NotSent, BotoCoreError, ClientError) as error:
        logger.error("webhook_not_queued", event_id=event_id, error=type(error).__name__)
        count("WebhookNotQueued")
