"""Stripe, for somebody who waits."""

from typing import TYPE_CHECKING

from marquee.core import settings
from marquee.edge import secrets
from marquee.payments import stripe_client

if TYPE_CHECKING:
    from stripe import StripeClient


def connect() -> "StripeClient":
    """Stripe, or what stands in for it."""
    return stripe_client.connect_waited_for(secrets.stripe_key(), base=settings.current().stripe_api_base)
