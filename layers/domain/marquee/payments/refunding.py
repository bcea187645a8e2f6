"""Refunds as people see them: give back a part, see how far an event's refunds have come, send a failed one again."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from marquee.core import paging
from marquee.core.database import Access, Session
from marquee.core.models import Answer, Request
from marquee.core.readable import Text

Destination = Literal["original", "wallet"]


class RefundRequest(Request):
    """How much of a booking's price to give back, and where to."""

    amount_cents: Annotated[
        int | None, Field(gt=0, le=100_000_000_000, strict=True, description="Left out: all that is left of the price.")
    ] = None
    destination: Destination = "original"


class ReopenRequest(Request):
    """Where a refund goes that Stripe could not deliver."""

    destination: Destination = "original"


class SettleRequest(Request):
    """What became of a debt that a refund left."""

    outcome: Annotated[Literal["paid", "forgiven"], Field(description="paid: at the organizer's own desk or bank.")]
    reason: Annotated[Text, Field(min_length=1, max_length=500)] | None = None


class Refund(Answer):
    """Money that goes back."""

    id: UUID
    booking_id: UUID | None
    purchase_id: Annotated[UUID | None, Field(description="Of a package, instead of a booking.")] = None
    customer_id: UUID
    organization_id: UUID
    amount_cents: int
    currency: str
    destination: Annotated[
        Literal["original", "wallet", "invoice", "dispute"],
        Field(description="dispute: the customer's bank has taken it back for them."),
    ]
    cause: str
    beyond: Annotated[
        bool, Field(description="Sent at Stripe beyond all that was left to give back: the customer owes it.")
    ] = False
    debt: Annotated[
        Literal["owed", "paid", "forgiven"] | None,
        Field(description="What has become of what the customer owes by it; null: nothing is owed."),
    ] = None
    status: Annotated[
        Literal["created", "pending", "succeeded", "failed"],
        Field(description="created: not sent yet; pending: at Stripe; failed: it waits for staff."),
    ]
    reason: str | None
    created_at: datetime
    settled_at: datetime | None


class Progress(Answer):
    """How far the refunds of an event have come."""

    event_id: UUID
    currency: str
    refunds: int
    amount_cents: int
    waiting: int
    sent: int
    settled: int
    failed: int
    settled_cents: int
    done: Annotated[bool, Field(description="Whether all of them have arrived.")]


def refund(session: Session, booking_id: UUID, request: RefundRequest, idempotency_key: str | None) -> Refund:
    """Give back a part of what a booking cost, for staff.

    Refuses: 400 idempotency_key_required, 404 booking_not_found, 409 nothing_to_refund, 409 refund_exceeds_payment,
    422 idempotency_conflict.
    """
    answer = session.value(
        "select payments.refund_booking("
        "booking_id => %s, amount_cents => %s, destination => %s, idempotency_key => %s)",
        [booking_id, request.amount_cents, request.destination, idempotency_key],
    )
    return Refund.model_validate(answer)


def reopen(session: Session, refund_id: UUID, request: ReopenRequest) -> Refund:
    """Send a failed refund again; one that is on its way stays as it is. Refuses: 404 refund_not_found."""
    answer = session.value(
        "select payments.reopen_refund(refund_id => %s, destination => %s)", [refund_id, request.destination]
    )
    return Refund.model_validate(answer)


def settle_debt(session: Session, refund_id: UUID, request: SettleRequest) -> Refund:
    """Write down what became of the debt that a refund left; once.

    Refuses: 404 refund_not_found, 409 nothing_to_pay.
    """
    answer = session.value(
        "select payments.settle_debt(refund_id => %s, outcome => %s, reason => %s)",
        [refund_id, request.outcome, request.reason],
    )
    return Refund.model_validate(answer)


def progress(session: Session, event_id: UUID) -> Progress:
    """How far an event's refunds have come, for staff. Refuses: 404 event_not_found."""
    return Progress.model_validate(session.value("select payments.refund_progress(event_id => %s)", [event_id]))


def visible(session: Session, limit: int, cursor: str | None) -> paging.Page[Refund]:
    """The caller's own refunds and those of the organizations whose money they keep, newest first."""
    after = paging.after(cursor, UUID)
    rows = session.all(
        """
        select
            r.id, r.booking_id, r.purchase_id, r.customer_id, r.organization_id, r.amount_cents, r.currency,
            r.destination, r.cause, r.beyond, payments.debt_of(r) as debt, r.status, r.status_reason as reason,
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
