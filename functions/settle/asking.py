"""The patient Stripe client of a worker, and the queues to which it sends."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from marquee.core import settings
from marquee.edge import queues, stripe
from marquee.payments.messages import HandleEvent, ListAccountEvents, ListBalance, ListEvents, SendRefunds

if TYPE_CHECKING:
    from stripe import StripeClient


def stripe_client() -> "StripeClient":
    """Connect to Stripe, or to the stand-in."""
    return stripe.client(patient=True)


def send_events(messages: Sequence[HandleEvent | ListAccountEvents | ListBalance | ListEvents]) -> None:
    """Ask for Stripe events to be handled, or for hours to be listed. Raises NotSent."""
    if messages:
        queues.send_batch(settings.current().require("stripe_events_queue_url"), messages)


def send_refunds() -> None:
    """Ask for another run that sends refunds."""
    queues.send(settings.current().require("refunds_queue_url"), SendRefunds())
