"""Tills: money that staff take and pay out at the desk, and the report of each day."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from marquee.core import paging
from marquee.core.database import Access, Session
from marquee.core.models import Answer, Day, Id, Request, TotalCents, Whole
from marquee.core.text_types import Text
from marquee.payments.fees import Fee
from marquee.payments.invoices import Invoice
from marquee.payments.packages import Purchase
from marquee.payments.refund_requests import Refund
from marquee.payments.wallets import Currency

DeskMethod = Literal["cash", "terminal"]
Place = Annotated[Id | None, Field(description="The location of the desk. Default: the organization's till.")]
Note = Annotated[Text, Field(min_length=1, max_length=500)]

CENTS_MAX = 100_000_000_000


class TillRequest(Request):
    """The place that gets a till of its own."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}]})

    location_id: Place = None
    currency: Annotated[Currency | None, Field(description="Default: the organization's currency.")] = None


class TransferRequest(Request):
    """Cash that was put into a till as change, or taken out of it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"amount_cents": 20000, "note": "Change for the day."}]})

    amount_cents: Annotated[
        Whole, Field(ge=-CENTS_MAX, le=CENTS_MAX, description="Negative for cash that is taken out; never zero.")
    ]
    note: Note
    location_id: Place = None
    currency: Currency | None = None


class ClosingRequest(Request):
    """The cash that was counted at the end of a day."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"counted_cents": 45000, "deposited_cents": 25000}]})

    counted_cents: Annotated[Whole, Field(ge=0, le=CENTS_MAX)]
    deposited_cents: Annotated[
        Whole, Field(ge=0, le=CENTS_MAX, description="Counted cash that leaves the till now, for the bank.")
    ] = 0
    day: Annotated[Day | None, Field(description="Default: today, in the organization's time zone.")] = None
    note: Note | None = None
    location_id: Place = None
    currency: Currency | None = None


class DeskPaymentRequest(Request):
    """A payment at the desk."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"payment_method": "cash"}]})

    payment_method: DeskMethod
    location_id: Place = None
    total_cents: TotalCents | None = None


class DeskSaleRequest(DeskPaymentRequest):
    """A package that is sold at the desk, and its customer."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"customer_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a", "payment_method": "cash"}]
        }
    )

    customer_id: Id


class PayoutRequest(Request):
    """The desk that pays a refund out."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}]})

    location_id: Place = None


class Till(Answer):
    """A till of an organization."""

    id: UUID
    organization_id: UUID
    location_id: UUID | None
    currency: str
    opened_at: datetime


class ByMethod(Answer):
    """Cents by the method of payment."""

    cash_cents: int
    terminal_cents: int


class TillReport(Answer):
    """The report of a till: of a closed day, or of the days since then so far."""

    id: Annotated[UUID | None, Field(description="Null while the day is open.")]
    till_id: Annotated[UUID | None, Field(description="Null before the till was first used.")]
    organization_id: UUID
    location_id: Annotated[UUID | None, Field(description="Null for the till of all places without their own.")]
    currency: str
    first_day: Annotated[date, Field(description="The first day that the report covers.")]
    day: date
    opening_cents: Annotated[int, Field(description="Cash in the till before the first day.")]
    taken: ByMethod
    refunded: ByMethod
    transferred_cents: Annotated[int, Field(description="Cash that was put in, less cash that was taken out.")]
    expected_cents: Annotated[
        int, Field(description="Cash that should be in the till: opening, takings, transfers, less refunds.")
    ]
    counted_cents: int | None
    difference_cents: Annotated[int | None, Field(description="Counted less expected cash.")]
    deposited_cents: Annotated[int | None, Field(description="Cash that left; the rest is the next opening balance.")]
    note: str | None
    closed_at: datetime | None


def open_till(session: Session, organization_id: UUID, request: TillRequest) -> Till:
    """Give a location its own till. Refuses: 403 forbidden, 404 organization_not_found, 422 invalid_request."""
    query = "select payments.open_till(organization_id => %s, location_id => %s, currency => %s)"
    return Till.model_validate(session.value(query, [organization_id, request.location_id, request.currency]))


def report(
    session: Session, organization_id: UUID, location_id: UUID | None, on_day: date | None, currency: str | None
) -> TillReport:
    """Return the report of a till. Refuses: 403 forbidden, 404 organization_not_found, 422 invalid_request."""
    query = "select payments.read_till(organization_id => %s, location_id => %s, day => %s, currency => %s)"
    return TillReport.model_validate(session.value(query, [organization_id, location_id, on_day, currency]))


def transfer(
    session: Session, organization_id: UUID, request: TransferRequest, idempotency_key: str | None
) -> TillReport:
    """Put cash into a till, or take it out.

    Refuses: 400 idempotency_key_required, 403 forbidden, 404 organization_not_found, 409 till_short, 422
    idempotency_conflict and invalid_request.
    """
    answer = session.value(
        """
        select payments.transfer_cash(
            organization_id => %(organization_id)s, amount_cents => %(amount_cents)s,
            idempotency_key => %(idempotency_key)s, note => %(note)s, location_id => %(location_id)s,
            currency => %(currency)s
        )
        """,
        {**request.model_dump(), "organization_id": organization_id, "idempotency_key": idempotency_key},
    )
    return TillReport.model_validate(answer)


def close(session: Session, organization_id: UUID, request: ClosingRequest) -> TillReport:
    """Close a day of a till; once.

    Refuses: 403 forbidden, 404 organization_not_found, 409 till_closed, 422 invalid_request.
    """
    answer = session.value(
        """
        select payments.close_till(
            organization_id => %(organization_id)s, counted_cents => %(counted_cents)s,
            location_id => %(location_id)s, day => %(day)s, deposited_cents => %(deposited_cents)s, note => %(note)s,
            currency => %(currency)s
        )
        """,
        {**request.model_dump(), "organization_id": organization_id},
    )
    return TillReport.model_validate(answer)


def closings(
    session: Session, organization_id: UUID, location_id: UUID | None, limit: int, cursor: str | None
) -> paging.Page[TillReport]:
    """List the closed days of an organization's tills, or of a location's own till, newest first.

    Refuses: 403 forbidden, 404 organization_not_found, 422 invalid_request.
    """
    after = paging.after(cursor, UUID)
    rows = session.all(
        """
        select c.*
        from payments.list_closings(
            organization_id => %s, location_id => %s, after => %s, most => %s
        ) as c
        """,
        [organization_id, location_id, after[0] if after else None, limit + 1],
    )
    return paging.page(rows, limit, lambda row: TillReport.model_validate(row["report"]), lambda row: (row["id"],))


def pay_fee(session: Session, fee_id: UUID, request: DeskPaymentRequest, idempotency_key: str | None) -> Fee:
    """Take the money for a fee into a till.

    Refuses: 400 idempotency_key_required, 403 forbidden, 404 fee_not_found, 409 nothing_to_pay and price_changed, 422
    idempotency_conflict and invalid_request.
    """
    answer = session.value(
        """
        select payments.pay_fee_at_desk(
            fee_id => %s, method => %s, idempotency_key => %s, location_id => %s, total_cents => %s
        ) as answer
        """,
        [fee_id, request.payment_method, idempotency_key, request.location_id, request.total_cents],
        access=Access.of_answer("pay_fee_at_desk"),
    )
    return Fee.model_validate(answer)


def pay_invoice(
    session: Session, invoice_id: UUID, request: DeskPaymentRequest, idempotency_key: str | None
) -> Invoice:
    """Take the money for an invoice into a till.

    Refuses: 400 idempotency_key_required, 403 forbidden, 404 invoice_not_found, 409 nothing_to_pay and price_changed,
    422 idempotency_conflict and invalid_request.
    """
    answer = session.value(
        """
        select payments.pay_invoice_at_desk(
            invoice_id => %s, method => %s, idempotency_key => %s, location_id => %s, total_cents => %s
        ) as answer
        """,
        [invoice_id, request.payment_method, idempotency_key, request.location_id, request.total_cents],
        access=Access.of_answer("pay_invoice_at_desk"),
    )
    return Invoice.model_validate(answer)


def sell_package(session: Session, package_id: UUID, request: DeskSaleRequest, idempotency_key: str | None) -> Purchase:
    """Take the price of a package into a till, and grant the customer its credits.

    Refuses: 400 idempotency_key_required, 403 forbidden, 404 customer_not_found and package_not_found, 409
    price_changed, 422 idempotency_conflict and invalid_request.
    """
    answer = session.value(
        """
        select payments.sell_package(
            package_id => %s, customer_id => %s, method => %s, idempotency_key => %s, location_id => %s,
            total_cents => %s
        )
        """,
        [
            package_id,
            request.customer_id,
            request.payment_method,
            idempotency_key,
            request.location_id,
            request.total_cents,
        ],
    )
    return Purchase.model_validate(answer)


def pay_out(session: Session, refund_id: UUID, request: PayoutRequest, idempotency_key: str | None) -> Refund:
    """Pay a refund out of a till.

    Refuses: 400 idempotency_key_required, 403 forbidden, 404 refund_not_found, 409 nothing_to_refund and till_short,
    422 idempotency_conflict and invalid_request.
    """
    answer = session.value(
        "select payments.pay_out_refund(refund_id => %s, idempotency_key => %s, location_id => %s) as answer",
        [refund_id, idempotency_key, request.location_id],
        access=Access.of_answer("pay_out_refund"),
    )
    return Refund.model_validate(answer)
