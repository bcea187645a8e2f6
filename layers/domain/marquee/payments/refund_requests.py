"""Refunds for the API: refund a part, read the progress of an event's refunds, resend a failed one."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from marquee.core import paging
from marquee.core.database import Access, Session
from marquee.core.models import Answer, Request
from marquee.core.text_types import Text

Destination = Literal["original", "wallet"]


class RefundRequest(Request):
    """The part of a booking's price to refund, and its destination."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"amount_cents": 1500}]})

    amount_cents: Annotated[
        int | None,
        Field(gt=0, le=100_000_000_000, strict=True, description="Default: the whole unrefunded part of the price."),
    ] = None
    destination: Destination = "original"


class ReopenRequest(Request):
    """The destination of a refund that Stripe could not deliver."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"destination": "wallet"}]})

    destination: Destination = "original"


class SettleRequest(Request):
    """The outcome of the debt that an excess refund left."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"outcome": "paid", "reason": "In cash at the desk."}]})

    outcome: Annotated[
        Literal["paid", "forgiven"],
        Field(description="`paid`: at the organizer's desk or bank. `forgiven`: written off."),
    ]
    reason: Annotated[Text, Field(min_length=1, max_length=500)] | None = None


class Refund(Answer):
    """A refund of a booking or of a package."""

    id: UUID
    booking_id: UUID | None
    purchase_id: Annotated[
        UUID | None, Field(description="The purchase, if a package is refunded and not a booking.")
    ] = None
    customer_id: UUID
    organization_id: UUID
    amount_cents: int
    currency: str
    destination: Annotated[
        Literal["original", "wallet", "invoice", "dispute", "unclaimed", "till"],
        Field(
            description="dispute: the customer's bank reversed the payment. unclaimed: the customer was erased, and the"
            " organization owes the money. till: it waits at the desk that took the money, until staff pay it out."
        ),
    ]
    cause: str
    beyond: Annotated[
        bool, Field(description="Whether it is an excess refund, made at Stripe: the customer owes it.")
    ] = False
    debt: Annotated[
        Literal["owed", "paid", "forgiven", "recovered"] | None,
        Field(
            description="The state of the customer's debt from it. recovered: credits of the payment paid it. Null:"
            " there is no debt."
        ),
    ] = None
    recovered_cents: Annotated[
        int, Field(description="The part of the debt that credits of the payment have paid; the rest is owed.")
    ] = 0
    status: Annotated[
        Literal["created", "pending", "succeeded", "failed"],
        Field(description="created: not sent or paid out yet. pending: at Stripe. failed: needs staff."),
    ]
    reason: str | None
    created_at: datetime
    settled_at: datetime | None


class Progress(Answer):
    """The progress of an event's refunds."""

    event_id: UUID
    currency: str
    refunds: int
    amount_cents: int
    waiting: int
    sent: int
    settled: int
    failed: int
    settled_cents: int
    done: Annotated[bool, Field(description="Whether all refunds have arrived.")]


def refund(session: Session, booking_id: UUID, request: RefundRequest, idempotency_key: str | None) -> Refund:
    """Refund a part of a booking's price, for staff.

    Refuses: 400 idempotency_key_required, 404 booking_not_found, 409 nothing_to_refund, 409 refund_exceeds_payment, 422
    idempotency_conflict.
    """
    answer = session.value(
        "select payments.refund_booking("
        "booking_id => %s, amount_cents => %s, destination => %s, idempotency_key => %s)"
        " as answer",
        [booking_id, request.amount_cents, request.destination, idempotency_key],
        access=Access.of_answer("refund_booking"),
    )
    return Refund.model_validate(answer)


def reopen(session: Session, refund_id: UUID, request: ReopenRequest) -> Refund:
    """Send a failed refund again; a pending one does not change. Refuses: 404 refund_not_found."""
    answer = session.value(
        "select payments.reopen_refund(refund_id => %s, destination => %s) as answer",
        [refund_id, request.destination],
        access=Access.of_answer("reopen_refund"),
    )
    return Refund.model_validate(answer)


def settle_debt(session: Session, refund_id: UUID, request: SettleRequest) -> Refund:
    """Record the outcome of the debt that an excess refund left; once.

    Refuses: 404 refund_not_found, 409 nothing_to_pay.
    """
    answer = session.value(
        "select payments.settle_debt(refund_id => %s, outcome => %s, reason => %s) as answer",
        [refund_id, request.outcome, request.reason],
        access=Access.of_answer("settle_debt"),
    )
    return Refund.model_validate(answer)


def progress(session: Session, event_id: UUID) -> Progress:
    """Return the progress of an event's refunds, for staff. Refuses: 404 event_not_found."""
    return Progress.model_validate(session.value("select payments.refund_progress(event_id => %s)", [event_id]))


def visible(session: Session, limit: int, cursor: str | None) -> paging.Page[Refund]:
    """List the caller's own refunds and those of organizations where the caller keeps the books, newest first."""
    after = paging.after(cursor, UUID)
    rows = session.all(
        """
        select
            r.id, r.booking_id, r.purchase_id, r.customer_id, r.organization_id, r.amount_cents, r.currency,
            r.destination, r.cause, r.beyond, payments.refund_debt_status(r) as debt, r.recovered_cents,
            r.status, r.status_reason as reason,
            r.created_at, r.settled_at
        from payments.refunds as r
        where %(after)s::uuid is null or r.id < %(after)s::uuid
        order by r.id desc
        limit %(most)s
        """,
        {"after": after[0] if after else None, "most": limit + 1},
        access=Access("refunds", most=limit),
    )
    return paging.page(rows, limit, Refund.model_validate, lambda row: (row["id"],))
