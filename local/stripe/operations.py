"""Loads the modules whose operations make up the API."""

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
    """Have each of them put its operations into the table."""
    for module in MODULES:
        importlib.import_module(f"local.stripe.{module}")
