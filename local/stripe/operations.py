"""Loads the modules with the operations of the API."""

import importlib

MODULES = (
    "customers",
    "payment_methods",
    "payment_intents",
    "charges",
    "refunds",
    "events",
    "webhook_endpoints",
    "balances",
    "application_fees",
    "transfers",
    "accounts",
    "payouts",
    "disputes",
    "checkout",
)


def load() -> None:
    """Load each module, which adds its operations to the table."""
    for module in MODULES:
        importlib.import_module(f"local.stripe.{module}")
