"""Invoices and credit notes, their pages to print and their payment, and fees."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from marquee.core import database, paging
from marquee.core.models import Id
from marquee.edge import http
from marquee.edge.observability import LambdaContext, count, observed
from marquee.payments import fees, invoice_pages, invoices
from marquee.payments.fees import Fee, WaiveRequest
from marquee.payments.invoices import Invoice

app = http.resolver()

PAGE: dict[int, Any] = {
    200: {"description": "A page to read and print.", "content": {"text/html": {"schema": {"type": "string"}}}}
}


@app.get("/invoices", tags=["invoices"])
def list_invoices(
    organization_id: Annotated[
        Id | None, Query(description="An organization, for its staff. Default: the caller's own invoices.")
    ] = None,
    status: Annotated[invoices.Status | None, Query(description="Only those with this status.")] = None,
    limit: http.PageSize = paging.DEFAULT_LIMIT,
    cursor: http.Cursor = None,
) -> Response[paging.Page[Invoice]]:
    """List invoices and credit notes, newest first."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "read_records")) as session:
        return http.json(HTTPStatus.OK, invoices.visible(session, organization_id, status, limit, cursor))


@app.get("/invoices/<invoice_id>", tags=["invoices"], responses=http.problems(404))
def get_invoice(invoice_id: Annotated[Id, Path()]) -> Response[Invoice]:
    """Get an invoice or a credit note with its open amount."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "read_records")) as session:
        return http.json(HTTPStatus.OK, invoices.get(session, invoice_id))


@app.post("/invoices/<invoice_id>/paid", tags=["invoices"], responses=http.problems(404, 409))
def record_payment(invoice_id: Annotated[Id, Path()]) -> Response[Invoice]:
    """Record that an invoice was paid to the organizer's own bank account; for the organization's bookkeepers."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "record_payments")) as session:
        invoice = invoices.record_payment(session, invoice_id)
    count("InvoicePaid")
    return http.json(HTTPStatus.OK, invoice)


@app.get("/invoices/<invoice_id>/page", tags=["invoices"], responses={**PAGE, **http.problems(404)})
def get_invoice_page(invoice_id: Annotated[Id, Path()]) -> Response[str]:
    """Get an invoice or a credit note as a page to read and print, in the language of its customer."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "print_invoice")) as session:
        return http.text_of(HTTPStatus.OK, invoice_pages.HTML, invoice_pages.of(session, invoice_id))


@app.get("/fees", tags=["fees"])
def list_fees(
    organization_id: Annotated[
        Id | None, Query(description="An organization, for its staff. Default: the caller's own fees.")
    ] = None,
    status: Annotated[fees.Status | None, Query(description="Only those with this status.")] = None,
    limit: http.PageSize = paging.DEFAULT_LIMIT,
    cursor: http.Cursor = None,
) -> Response[paging.Page[Fee]]:
    """List fees for not attending and for late cancellations, newest first."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "read_records")) as session:
        return http.json(HTTPStatus.OK, fees.visible(session, organization_id, status, limit, cursor))


@app.post("/fees/<fee_id>/paid", tags=["fees"], responses=http.problems(404, 409))
def record_fee_payment(
    fee_id: Annotated[Id, Path()], request: Annotated[fees.FeePaymentRequest | None, Body()] = None
) -> Response[Fee]:
    """Record that an owed fee was paid at the organizer's desk or bank; for its front desk and bookkeepers."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "record_payments")) as session:
        fee = fees.record_payment(session, fee_id, request or fees.FeePaymentRequest())
    count("FeePaid")
    return http.json(HTTPStatus.OK, fee)


@app.post("/fees/<fee_id>/waive", tags=["fees"], responses=http.problems(404))
def waive_fee(fee_id: Annotated[Id, Path()], request: Annotated[WaiveRequest, Body()]) -> Response[Fee]:
    """Waive a fee that is owed, or pay back a fee that was paid; for the organization's front desk and bookkeepers."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "record_payments")) as session:
        fee = fees.waive(session, fee_id, request)
    count("FeeWaived")
    return http.json(HTTPStatus.OK, fee)


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Serve a request."""
    return app.resolve(event, context)
