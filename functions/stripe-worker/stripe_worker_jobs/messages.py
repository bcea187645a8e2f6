"""Messages of the worker to its own queues."""

from collections.abc import Sequence

from marquee.core import settings
from marquee.edge import queues
from marquee.payments.messages import HandleEvent, ListAccountEvents, ListBalance, ListEvents, SendRefunds


def send_events(messages: Sequence[HandleEvent | ListAccountEvents | ListBalance | ListEvents]) -> None:
    """Ask for Stripe events to be handled, or for hours to be listed. Raises NotSent."""
    if messages:
        queues.send_batch(settings.current().require("stripe_events_queue_url"), messages)


def send_refunds() -> None:
    """Ask for another run that sends refunds."""
    queues.send(settings.current().require("refunds_queue_url"), SendRefunds())
