"""Sample invoices and credit notes."""

from datetime import UTC, date, datetime
from uuid import uuid4

from marquee.payments.invoices import Invoice


def an_invoice(**differs):
    issued = {
        "id": uuid4(), "organization_id": uuid4(), "customer_id": uuid4(), "booking_id": uuid4(), "number": 7,
        "kind": "invoice", "corrects_id": None, "seller": {"name": "Lakeside Studio"}, "buyer": {"name": "Ana"},
        "lines": [
            {
                "description": "Yoga & tea", "starts_at": "2031-03-05 18:30", "seats": 2, "list_cents": 123450,
                "discount_cents": 3450,
            }
        ],
        "net_cents": 111008, "tax_cents": 8992, "gross_cents": 120000, "currency": "CHF", "tax_bps": 810,
        "tax_country": "CH", "issued_at": datetime(2031, 3, 2, 23, 30, tzinfo=UTC), "issued_on": date(2031, 3, 3),
        "due_on": date(2031, 3, 17),
        "credited_cents": 0, "paid_cents": 0, "paid_at": None, "open_cents": 120000, "status": "open",
    }  # fmt: skip
    return Invoice.model_validate(issued | differs)


def a_credit_note():
    return an_invoice(number=8, kind="credit_note", corrects_id=uuid4(), due_on=None, status="issued")
