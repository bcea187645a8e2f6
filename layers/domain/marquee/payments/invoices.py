"""Invoices and credit notes as people see them: lists, single ones, a page to print."""

import html
from datetime import date, datetime
from string import Template
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from marquee.core import paging
from marquee.core.database import Session
from marquee.core.errors import Refused
from marquee.core.models import Answer

HTML = "text/html; charset=utf-8"

Status = Literal["open", "overdue", "paid", "corrected", "issued"]


class Line(Answer):
    """What was bought."""

    description: str
    starts_at: Annotated[str, Field(description="In the event's own time zone.")]
    seats: int
    list_cents: int
    discount_cents: int


class Invoice(Answer):
    """An invoice or a credit note, and what is open of it."""

    id: UUID
    organization_id: UUID
    customer_id: UUID
    booking_id: UUID
    number: Annotated[int, Field(description="Without gaps within the organization.")]
    kind: Literal["invoice", "credit_note"]
    corrects_id: Annotated[UUID | None, Field(description="The invoice that a credit note corrects.")]
    seller: dict[str, Any]
    buyer: dict[str, Any]
    lines: list[Line]
    net_cents: int
    tax_cents: int
    gross_cents: int
    currency: str
    tax_bps: Annotated[int, Field(description="Hundredths of a percent.")]
    tax_country: str
    issued_at: datetime
    due_on: date | None
    credited_cents: int
    paid_cents: int
    paid_at: datetime | None
    open_cents: int
    status: Annotated[Status, Field(description="corrected: credit notes left nothing; issued: a credit note.")]


_PAGE = Template(
    """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>$title</title>
<style>
body { font: 16px/1.5 sans-serif; max-width: 44em; margin: 3em auto; padding: 0 1em; }
table { width: 100%; border-collapse: collapse; }
th, td { text-align: left; padding: .4em 0; border-bottom: 1px solid #ccc; }
td.cents, th.cents { text-align: right; }
</style>
</head>
<body>
<h1>$title</h1>
<p>$seller<br>to $buyer</p>
<p>Issued on $issued. $due</p>
<table>
<tr><th>What</th><th>When</th><th>Seats</th><th class="cents">$currency</th></tr>
$lines
<tr><td colspan="3">Net</td><td class="cents">$net</td></tr>
<tr><td colspan="3">Tax $percent % ($country)</td><td class="cents">$tax</td></tr>
<tr><th colspan="3">Total</th><th class="cents">$gross</th></tr>
</table>
</body>
</html>
"""
)
_LINE = Template(
    '<tr><td>$what</td><td>$when</td><td>$seats</td><td class="cents">$price</td></tr>\n'
    '<tr><td colspan="3">Less</td><td class="cents">$discount</td></tr>'
)


def visible(
    session: Session, organization_id: UUID | None, status: Status | None, limit: int, cursor: str | None
) -> paging.Page[Invoice]:
    """The caller's own, or those of an organization whose books the caller may see, newest first."""
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
    )
    return paging.page(rows, limit, Invoice.model_validate, lambda row: (row["id"],))


def get(session: Session, invoice_id: UUID) -> Invoice:
    """An invoice that the caller may see. Refuses: 404 invoice_not_found."""
    row = session.one("select i.* from payments.invoice_states as i where i.id = %s", [invoice_id])
    if row is None:
        raise Refused(404, "invoice_not_found")
    return Invoice.model_validate(row)


def record_payment(session: Session, invoice_id: UUID) -> Invoice:
    """Write down that it was paid; once. Refuses: 404 invoice_not_found, 409 nothing_to_pay."""
    return Invoice.model_validate(session.value("select payments.record_invoice_payment(%s)", [invoice_id]))


def as_page(session: Session, invoice_id: UUID) -> str:
    """An invoice as HTML that stands by itself. Refuses: 404 invoice_not_found."""
    row = session.one(
        """
        select i.*, c.decimal_places, n.number as corrects_number
        from payments.invoice_states as i
        inner join ref.currencies as c on c.code = i.currency
        left join payments.invoice_states as n on n.id = i.corrects_id
        where i.id = %s
        """,
        [invoice_id],
    )
    if row is None:
        raise Refused(404, "invoice_not_found")
    places: int = row["decimal_places"]
    invoice = Invoice.model_validate(row)
    if invoice.kind == "invoice":
        title, due = f"Invoice {invoice.number}", f"Due on {invoice.due_on}."
    else:
        title, due = f"Credit note {invoice.number}", f"It corrects invoice {row['corrects_number']}."
    return _PAGE.substitute(
        title=title,
        due=due,
        seller=_text(invoice.seller["name"]),
        buyer=_text(invoice.buyer.get("name") or invoice.buyer.get("email") or "the customer"),
        issued=invoice.issued_at.date(),
        currency=_text(invoice.currency),
        lines="\n".join(_line(line, places) for line in invoice.lines),
        net=_amount(invoice.net_cents, places),
        percent=f"{invoice.tax_bps / 100:g}",
        country=_text(invoice.tax_country),
        tax=_amount(invoice.tax_cents, places),
        gross=_amount(invoice.gross_cents, places),
    )


def _line(line: Line, places: int) -> str:
    return _LINE.substitute(
        what=_text(line.description),
        when=_text(line.starts_at),
        seats=line.seats,
        price=_amount(line.list_cents, places),
        discount=_amount(line.discount_cents, places),
    )


def _amount(cents: int, places: int) -> str:
    """Cents as people write them in the currency: 1234.50."""
    return f"{cents / 10**places:.{places}f}"


def _text(value: object) -> str:
    return html.escape(str(value))
