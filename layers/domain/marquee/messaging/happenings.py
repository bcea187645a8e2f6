"""Messages of the outbox, and their topics."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.config import JsonDict

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
"""The topics with receivers; a row with any other topic is parked, because its receiver was forgotten."""

PUBLIC = frozenset(
    {"booking", "credits", "event", "invoice", "pass", "payment", "payout", "person", "refund", "waitlist"}
)
"""Families of topics (the part before the dot) that an organization's webhooks can have."""

INTERNAL = frozenset({"alert", "reconciliation", "webhook_endpoint"})
"""Families that no subscriber ever receives. Every family is in one of the two."""

UNTOLD = frozenset({"person.erased"})
"""Topics only for subscribers: people get no notification and no e-mail, so there is no text."""

SUBSCRIBABLE = frozenset(topic for topic in TOPICS if topic.partition(".")[0] in PUBLIC)
"""The topics that an organization's webhooks can have."""


EXAMPLE: JsonDict = {
    "id": 1,
    "topic": "booking.confirmed",
    "key": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a",
    "payload": {
        "booking_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a",
        "event_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a",
        "customer_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a",
        "organization_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a",
        "seats": 2,
    },
    "created_at": "2030-01-31T18:00:00Z",
    "correlation_id": "7f1a3c52-4e1b-4a36-9d3a-2b6f5f0c9e11",
}


class Happening(BaseModel):
    """One row of the outbox in transit; `payload` holds the ids and facts of its topic, `id` is unique for ever."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, json_schema_extra={"examples": [EXAMPLE]}
    )

    id: int
    topic: str
    key: str
    payload: dict[str, Any]
    created_at: datetime
    correlation_id: str | None = None


class Bundle(BaseModel):
    """Rows of the outbox that travel as one queue message, in order; each is processed separately."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    happenings: list[Happening]


def is_for_subscribers(happening: Happening) -> bool:
    """Return whether webhooks may carry it: it belongs to an organization and has a public topic."""
    return happening.topic in SUBSCRIBABLE and happening.payload.get("organization_id") is not None
