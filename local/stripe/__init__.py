"""Stripe on one machine: a strict, stateful stand-in for its API. See README.md."""

from local.stripe.server import StandIn, Webhook, serve

__all__ = ["StandIn", "Webhook", "serve"]
