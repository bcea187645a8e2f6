"""Process one Stripe event: claim it from the inbox, handle it, and record the result."""

import contextlib

from marquee.core import clock
from marquee.core.errors import Unavailable
from marquee.edge import stripe
from marquee.edge.observability import count, logger
from marquee.payments import inbox, stripe_events
from marquee.payments.messages import HandleEvent
from marquee.payments.stripe_calls import StripeUnavailable


def handle(message: HandleEvent) -> None:
    """Handle a Stripe event. The queue retries failures; the sweep retries events that were postponed."""
    event = inbox.claim(message.event_id)
    if event is None:
        count("WebhookSkipped")
        return
    logger.append_keys(event_id=event.event_id, event_type=event.type)
    try:
        handled = stripe_events.handle(event, lambda: stripe.client(patient=True), clock.now)
        inbox.finish(event.event_id, handled.result, is_ignored=handled.is_ignored)
    except (StripeUnavailable, Unavailable) as error:
        if isinstance(error, StripeUnavailable):
            count("StripeUnavailable")
        logger.warning("webhook_postponed", error=str(error))
        inbox.fail(event.event_id, _describe(error), is_postponed=True)
        count("WebhookPostponed")
        return
    except BaseException as error:
        with contextlib.suppress(Unavailable):
            standing = inbox.fail(event.event_id, _describe(error), is_postponed=False)
            count("WebhookParked" if standing == "parked" else "WebhookNotHandled")
        raise
    logger.info("webhook_handled", result=handled.result, ignored=handled.is_ignored)
    count("WebhookIgnored" if handled.is_ignored else "WebhookHandled")


def _describe(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
