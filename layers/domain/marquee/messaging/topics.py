"""The catalogue of topics, and the messages of the outbox that carry them.

A topic is defined here once: the routine that makes its payload, the model of what subscribers receive, its audience,
and whether it is public. The page docs/topics.md, the schemas and messaging.topic_audience are generated from it
(`make topics`), and tests hold the routines and the database to it.
"""

import pkgutil
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from marquee.core.models import Answer

Audience = Literal["customer", "instructor", "admins", "bookkeepers", "operators", "invitee", "member"]
"""People who are notified; messaging.recipients finds them."""

Family = Literal["bookings", "changes", "credits", "reminders", "waitlist"]
"""Topics that a person can switch off together. The others are always sent."""

FAMILIES: tuple[Family, ...] = get_args(Family)

_FAMILY_OF: dict[str, Family] = {
    "booking.attended": "bookings",
    "booking.confirmed": "bookings",
    "booking.reminder": "reminders",
    "credits.granted": "credits",
    "event.changed": "changes",
    "event.lead_changed": "changes",
    "pass.granted": "credits",
    "waitlist.expired": "waitlist",
    "waitlist.joined": "waitlist",
    "waitlist.lapsed": "waitlist",
    "waitlist.offered": "waitlist",
}


@dataclass(frozen=True, slots=True)
class Topic:
    """A kind of message.

    `payload` is the routine that makes what the outbox stores. `model` names the class of what a webhook carries. It is
    imported by `model_class` only, because the relay and the workers start without the other parts of the business.
    `audience` is None if nobody is notified, so that the topic has no text. A public topic is sent to subscribers.
    """

    name: str
    when: str
    payload: str
    model: str
    audience: Audience | None
    is_public: bool = True

    @property
    def family(self) -> Family | None:
        """Return the family by which people switch it off. None: it is always sent."""
        return family_of(self.name)

    @property
    def model_class(self) -> type[BaseModel]:
        """Import the model."""
        found: type[BaseModel] = pkgutil.resolve_name(self.model)
        return found


_BOOKING: tuple[str, str, Audience] = ("events.booking_payload", "marquee.booking.topics:BookingMessage", "customer")
_ENTRY: tuple[str, str, Audience] = ("events.waitlist_payload", "marquee.booking.topics:EntryMessage", "customer")
_CREDIT: tuple[str, str, Audience] = ("payments.credit_payload", "marquee.payments.topics:GrantedCredit", "customer")
_ALERT: tuple[str, str, Audience] = ("ops.alert_payload", "marquee.operations.topics:Alert", "operators")
_REFUND = ("payments.refund_payload", "marquee.payments.refund_requests:Refund")

CATALOGUE: dict[str, Topic] = {
    topic.name: topic
    for topic in (
        Topic("booking.confirmed", "A booking is confirmed, at once or when its payment has arrived.", *_BOOKING),
        Topic(
            "booking.cancelled",
            "A booking is cancelled by its customer, by staff, or with its event, or its price is refunded in full.",
            "events.booking_payload",
            "marquee.booking.topics:CancelledBookingMessage",
            "customer",
        ),
        Topic("booking.changed", "The seats of a booking changed.", *_BOOKING),
        Topic("booking.expired", "A booking is not paid in time.", *_BOOKING),
        Topic("booking.attended", "Staff record that the customer came.", *_BOOKING),
        Topic(
            "booking.no_show",
            "The customer did not come, as staff recorded, or nobody in the policy's time.",
            *_BOOKING,
        ),
        Topic("booking.reminder", "The event of a confirmed booking starts soon.", *_BOOKING),
        Topic("waitlist.joined", "A customer joins a waitlist.", *_ENTRY),
        Topic("waitlist.offered", "Seats are offered to a waitlist entry.", *_ENTRY),
        Topic(
            "waitlist.lapsed",
            "An offer is not accepted in time. The entry moves to the end, or leaves the waitlist (`expired`).",
            *_ENTRY,
        ),
        Topic(
            "waitlist.expired",
            "An entry ends without seats: the event starts or is cancelled.",
            "events.waitlist_payload",
            "marquee.booking.topics:ExpiredEntryMessage",
            "customer",
        ),
        Topic(
            "event.cancelled",
            "An event is cancelled. Each of its customers has a message of their own.",
            "events.event_payload",
            "marquee.scheduling.events:ManagedEvent",
            "instructor",
        ),
        Topic(
            "event.changed",
            "The time, place or instructor of an event changes: a message for each customer with a booking or a"
            " waitlist entry.",
            "events.event_payload",
            "marquee.scheduling.topics:ChangedEvent",
            "customer",
        ),
        Topic(
            "event.lead_changed",
            "Somebody is to lead an event or is released from it, or its time or place changes.",
            "events.event_payload",
            "marquee.scheduling.topics:LedEvent",
            "instructor",
        ),
        Topic("credits.granted", "A customer receives wallet money.", *_CREDIT),
        Topic("pass.granted", "A customer receives a pass.", *_CREDIT),
        Topic(
            "invoice.issued",
            "An invoice is issued for a booking.",
            "payments.invoice_payload",
            "marquee.payments.invoices:Invoice",
            "customer",
        ),
        Topic("refund.requested", "A refund is on its way to Stripe.", *_REFUND, "customer"),
        Topic("refund.succeeded", "A refund has arrived.", *_REFUND, "customer"),
        Topic("refund.failed", "Stripe could not deliver a refund.", *_REFUND, "bookkeepers"),
        Topic("refund.exceeded", "A customer owes an excess refund or spent credits.", *_REFUND, "bookkeepers"),
        Topic("payment.returned", "A payment arrives too late and is refunded.", *_REFUND, "customer"),
        Topic(
            "payment.disputed",
            "A customer's bank disputes a payment, or the state of a dispute changes.",
            "payments.dispute_payload",
            "marquee.payments.topics:Dispute",
            "bookkeepers",
        ),
        Topic(
            "payout.failed",
            "A bank rejects a payout.",
            "payments.payout_payload",
            "marquee.payments.topics:FailedPayout",
            "bookkeepers",
        ),
        Topic(
            "person.erased",
            "A person whom the organization knew is erased.",
            "users.erasure_payload",
            "marquee.operations.topics:ErasedPerson",
            None,
        ),
        Topic(
            "erasure.scheduled",
            "A person requests their erasure, which takes place after seven days.",
            "users.scheduled_erasure_payload",
            "marquee.people.topics:RequestedErasure",
            "customer",
            is_public=False,
        ),
        Topic(
            "invitation.sent",
            "A person is invited to become a member, or the invitation is sent again.",
            "organizations.invitation_payload",
            "marquee.people.topics:SentInvitation",
            "invitee",
            is_public=False,
        ),
        Topic(
            "ownership.offered",
            "An owner offers a member the ownership of the organization.",
            "organizations.ownership_offer_payload",
            "marquee.people.topics:OfferedOwnership",
            "member",
            is_public=False,
        ),
        Topic("alert.fired", "An alert rule is violated.", *_ALERT, is_public=False),
        Topic("alert.resolved", "An alert rule holds again.", *_ALERT, is_public=False),
        Topic(
            "reconciliation.differs",
            "Stripe's balance and the ledger differ.",
            "payments.difference_payload",
            "marquee.payments.topics:Difference",
            "operators",
            is_public=False,
        ),
        Topic(
            "webhook_endpoint.disabled",
            "An endpoint is disabled after days of failures, or because it responded with 410.",
            "messaging.endpoint_payload",
            "marquee.messaging.topics:DisabledEndpoint",
            "admins",
            is_public=False,
        ),
    )
}
"""Every topic by its name. The relay parks a message with any other topic."""

SUBSCRIBABLE = frozenset(topic.name for topic in CATALOGUE.values() if topic.is_public)
"""The topics that an organization's webhooks can have."""

NOTIFIED = frozenset(topic.name for topic in CATALOGUE.values() if topic.audience is not None)
"""The topics that people are notified of, by a text in every language."""


def family_of(topic: str) -> Family | None:
    """Return the family by which people switch a topic off. None: it is always sent."""
    return _FAMILY_OF.get(topic)


class DisabledEndpoint(Answer):
    """A webhook endpoint that was disabled."""

    endpoint_id: UUID
    organization_id: UUID
    url: str
    why: Annotated[str, Field(description="`gone`: it responded with 410. `failing`: it failed for days.")]
    gone: bool
    failing_since: Annotated[str | None, Field(description="Start of its failures.")]


EXAMPLE: JsonDict = {
    "id": 1,
    "topic": "booking.confirmed",
    "key": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a",
    "payload": {
        "id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a",
        "event_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a",
        "customer_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a",
        "organization_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a",
        "seats": 2,
        "status": "confirmed",
    },
    "created_at": "2030-01-31T18:00:00Z",
    "correlation_id": "7f1a3c52-4e1b-4a36-9d3a-2b6f5f0c9e11",
}


class OutboxMessage(BaseModel):
    """One row of the outbox in transit; `id` is unique for ever.

    The payload is not validated here: a row that earlier or later code wrote must not be lost. Tests validate what the
    routines write.
    """

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
    """Rows of the outbox that travel as one queue message, in order; each is processed separately.

    The queue names them `happenings`, as earlier code does, which receives bundles while a deployment runs.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, validate_by_name=True, serialize_by_alias=True
    )

    messages: list[OutboxMessage] = Field(alias="happenings")


def is_for_subscribers(message: OutboxMessage) -> bool:
    """Return whether webhooks may carry it: it belongs to an organization and has a public topic."""
    return message.topic in SUBSCRIBABLE and message.payload.get("organization_id") is not None
