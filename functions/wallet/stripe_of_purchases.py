"""The Stripe client for purchases, where a customer waits for the response."""

from typing import TYPE_CHECKING

from marquee.core import settings
from marquee.edge import secrets
from marquee.payments import stripe_client

if TYPE_CHECKING:
    from stripe import StripeClient


def connect() -> "StripeClient":
    """Connect to Stripe, or to the stand-in."""
    return stripe_client.connect_waited_for(secrets.stripe_key(), base=settings.current().stripe_api_base)
