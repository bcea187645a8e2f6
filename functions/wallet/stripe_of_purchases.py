"""Stripe, for somebody who waits: two attempts must fit into the time that API Gateway gives."""

from typing import TYPE_CHECKING

from marquee.core import settings
from marquee.edge import secrets
from marquee.payments import stripe_client

if TYPE_CHECKING:
    from stripe import StripeClient

ANSWER_SECONDS_MAX = 6.0
RETRIES_MAX = 1


def connect() -> "StripeClient":
    """Stripe, or what stands in for it."""
    return stripe_client.connect(
        secrets.stripe_key(),
        base=settings.current().stripe_api_base,
        answer_seconds_max=ANSWER_SECONDS_MAX,
        retries_max=RETRIES_MAX,
    )
