"""What tests of functions/stripe-worker share: events that arrive, and what became of them."""

import json

from marquee.payments import inbox
from tests.kit import gateway, routines
from tests.kit.aws import record
from tests.kit.stripe_standin import deliver


def handle(*event_ids, **context):
    """The messages of these events arrive, one by one."""
    for event_id in event_ids:
        gateway.invoke("stripe-worker", {"Records": [record({"event_id": event_id})]}, **context)


def tell(shop, *types):
    """Deliver the events of these types (all, if none is named) and handle them."""
    for event in shop.stripe.events(*types):
        assert deliver(event).status == 200
        handle(event["id"])


def inbox_rows(db):
    return {row["type"]: row for row in db.execute("select * from payments.webhook_inbox").fetchall()}


def an_event(db, type, thing, number=1, account=None):
    """An event in the inbox, whatever Stripe knows of it."""
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
    """The worker is gone."""


def die(*_):
    raise Died
