"""Create packages of credits in the database: offer, buy, pay and refund them."""

import itertools
from datetime import UTC, datetime, timedelta

from psycopg.types.json import Jsonb

from tests.kit import routines

MOMENTS = (datetime(2031, 1, 1, tzinfo=UTC) + timedelta(seconds=n) for n in itertools.count())


def offer(desk, caller=None, **terms):
    """Offer a pass for ten classes at 200.00. `terms` change the values."""
    arguments = {
        "organization_id": desk.stage.organization_id,
        "name": "Ten classes",
        "kind": "pass",
        "price_cents": 20000,
        "currency": "CHF",
        "amount": 10,
        **terms,
    }
    named = ", ".join(f"{name} => %({name})s" for name in arguments)
    return routines.call(desk.db, caller or desk.stage.owner, f"select payments.create_package({named})", arguments)


def money(desk, **terms):
    """Offer a wallet package of 100.00 and a bonus of 20.00 for 90.00."""
    return offer(desk, **{"kind": "wallet", "price_cents": 9000, "amount": 10000, "bonus": 2000, **terms})


def buy(desk, customer, package, method="card", key="tap"):
    query = "select payments.buy_package(%s, %s, %s)"
    return routines.call(desk.db, customer, query, [package["id"], method, key])


def apply_payment(desk, purchase, status="succeeded", **more):
    facts = {
        "stripe_id": f"pi_{purchase['id']}",
        "intent_id": purchase["id"],
        "status": status,
        "amount_cents": purchase["price_cents"],
        "received_cents": purchase["price_cents"] if status == "succeeded" else 0,
        "currency": "chf",
        "observed_at": next(MOMENTS).isoformat(),
        **more,
    }
    return routines.call(desk.db, None, "select payments.apply_payment(%s)", [Jsonb(facts)])


def refund(desk, purchase, caller=None):
    query = "select payments.refund_purchase(%s)"
    return routines.call(desk.db, caller or desk.stage.owner, query, [purchase["id"]])
