"""Deliver Stripe events to functions/stripe-worker and read the results."""

import json

from marquee.payments import inbox
from tests.kit import gateway, routines
from tests.kit.aws import record
from tests.kit.stripe_standin import deliver


def handle(*event_ids, **context):
    """Pass the messages of these events to the function, one by one."""
    for event_id in event_ids:
        gateway.invoke("stripe-worker", {"Records": [record({"event_id": event_id})]}, **context)


def deliver_and_handle(shop, *types):
    """Deliver the events of these types, or all of them, and process them."""
    for event in shop.stripe.events(*types):
        assert deliver(event).status == 200
        handle(event["id"])


def inbox_rows(db):
    return {row["type"]: row for row in db.execute("select * from payments.webhook_inbox").fetchall()}


def an_event(db, type, thing, number=1, account=None):
    """Insert an event into the inbox, independent of Stripe's state."""
    event = {
        "id": f"evt_{number}",
        "object": "event",
        "type": type,
        "created": 1_790_000_000,
        "livemode": False,
        "data": {"object": thing},
    }
    row = inbox.Event.model_validate(event).row() | {"account": account}
    routines.call(db, None, "select count(*) from payments.receive_webhooks(%s::text::jsonb)", [json.dumps([row])])
    return event["id"]


class Died(BaseException):
    """The worker died."""


def die(*_):
    raise Died
