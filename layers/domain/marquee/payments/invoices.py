"""Invoices and credit notes: list them, read one, record their payment."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from marquee.core import paging
from marquee.core.database import Access, Session
from marquee.core.errors import Refused
from marquee.core.models import Answer

Status = Literal["open", "overdue", "paid", "corrected", "issued"]


class Line(Answer):
    """One position of an invoice."""

    description: str
    starts_at: Annotated[str, Field(description="Start, in the event's time zone.")]
    seats: int
    list_cents: int
    discount_cents: int


class Invoice(Answer):
    """An invoice or a credit note, with its open amount."""

    id: UUID
    organization_id: UUID
    customer_id: UUID
    booking_id: UUID
    number: Annotated[int, Field(description="Consecutive within the organization, without gaps.")]
    kind: Literal["invoice", "credit_note"]
    corrects_id: Annotated[UUID | None, Field(description="The invoice that a credit note corrects.")]
    seller: dict[str, Any]
    buyer: dict[str, Any]
    lines: list[Line]
    net_cents: int
    tax_cents: int
    gross_cents: int
    currency: str
    tax_bps: Annotated[int, Field(description="Tax rate in hundredths of a percent.")]
    tax_country: str
    issued_at: datetime
    issued_on: Annotated[date, Field(description="Date in the organization's time zone, like due_on.")]
    due_on: date | None
    credited_cents: int
    paid_cents: int
    paid_at: datetime | None
    open_cents: int
    status: Annotated[Status, Field(description="corrected: fully credited by credit notes. issued: a credit note.")]


def visible(
    session: Session, organization_id: UUID | None, status: Status | None, limit: int, cursor: str | None
) -> paging.Page[Invoice]:
    """List the caller's own invoices, or those of an organization whose books the caller may see, newest first."""
    after = paging.after(cursor, UUID)
    rows = session.all(
        """
        select i.*
        from payments.invoice_states as i
        where
            case
                when %(organization_id)s::uuid is null then i.customer_id = (select ops.caller_id())
                else i.organization_id = %(organization_id)s::uuid
            end
            and (%(status)s::text is null or i.status = %(status)s::text)
            and (%(after)s::uuid is null or i.id < %(after)s::uuid)
        order by i.id desc
        limit %(most)s
        """,
        {
            "organization_id": organization_id,
            "status": status,
            "after": after[0] if after else None,
            "most": limit + 1,
        },
        access=Access("invoices", most=limit),
    )
    return paging.page(rows, limit, Invoice.model_validate, lambda row: (row["id"],))


def get(session: Session, invoice_id: UUID) -> Invoice:
    """Return an invoice that the caller may see. Refuses: 404 invoice_not_found."""
    row = session.one(
        "select i.* from payments.invoice_states as i where i.id = %s", [invoice_id], access=Access("invoice")
    )
    if row is None:
        raise Refused(404, "invoice_not_found")
    return Invoice.model_validate(row)


def record_payment(session: Session, invoice_id: UUID) -> Invoice:
    """Record that an invoice was paid; once. Refuses: 404 invoice_not_found, 409 nothing_to_pay."""
    query = "select payments.record_invoice_payment(%s) as answer"
    answer = session.value(query, [invoice_id], access=Access.of_answer("record_invoice_payment"))
    return Invoice.model_validate(answer)
