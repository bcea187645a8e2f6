"""What happened, as a row of the outbox tells it, and which kinds of it there are."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

TOPICS = frozenset(
    {
        "booking.confirmed",
        "booking.cancelled",
        "booking.expired",
        "booking.attended",
        "booking.no_show",
        "booking.reminder",
        "waitlist.joined",
        "waitlist.offered",
        "waitlist.lapsed",
        "waitlist.expired",
        "credits.granted",
        "event.cancelled",
        "event.changed",
        "alert.fired",
        "alert.resolved",
        "invoice.issued",
        "pass.granted",
        "payment.disputed",
        "payment.returned",
        "payout.failed",
        "person.erased",
        "reconciliation.differs",
        "refund.exceeded",
        "refund.failed",
        "refund.requested",
        "refund.succeeded",
        "webhook_endpoint.disabled",
    }
)
"""The topics that somebody listens to; a row of any other is parked, for somebody forgot something."""

PUBLIC = frozenset(
    {"booking", "credits", "event", "invoice", "pass", "payment", "payout", "person", "refund", "waitlist"}
)
"""Families of topics (what comes before the dot) that an organization's webhooks can be about."""

INTERNAL = frozenset({"alert", "reconciliation", "webhook_endpoint"})
"""Families that no subscriber ever hears of. Every family is in one of the two."""

UNTOLD = frozenset({"person.erased"})
"""Topics for subscribers alone: nobody gets a notification or an e-mail, so there is no text."""

SUBSCRIBABLE = frozenset(topic for topic in TOPICS if topic.partition(".")[0] in PUBLIC)
"""The topics that an organization's webhooks can be about."""


class Happening(BaseModel):
    """One row of the outbox on its way; `payload` holds the ids and facts of its topic, `id` is unique for ever."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    id: int
    topic: str
    key: str
    payload: dict[str, Any]
    created_at: datetime
    correlation_id: str | None = None


class Bundle(BaseModel):
    """Happenings that travel as one message, in order; each is dealt with by itself."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    happenings: list[Happening]


def is_for_subscribers(happening: Happening) -> bool:
    """Whether webhooks may tell of it: it is an organization's, and of a topic that subscribers hear of."""
    return happening.topic in SUBSCRIBABLE and happening.payload.get("organization_id") is not None
