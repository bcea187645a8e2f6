"""Invoices, credit notes and their payment. Pages to print and no-show fees are beside it."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

import charging
import printing
from marquee.core import database, paging
from marquee.core.models import Id
from marquee.edge import http
from marquee.edge.observability import LambdaContext, count, observed
from marquee.payments import invoices
from marquee.payments.invoices import Invoice

app = http.resolver(printing.routes, charging.routes)


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


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Serve a request."""
    return app.resolve(event, context)
