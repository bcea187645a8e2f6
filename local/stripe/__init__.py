"""Stripe on one machine: a strict, stateful stand-in for its API. See docs/reference/stripe-stand-in.md."""

from local.stripe.server import StandIn, Webhook, serve

__all__ = ["StandIn", "Webhook", "serve"]
