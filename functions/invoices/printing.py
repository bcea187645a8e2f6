"""GET /invoices/{invoice_id}/page: an invoice to read and print, in its customer's language."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path

from marquee.core import database
from marquee.core.models import Id
from marquee.edge import http
from marquee.payments import invoice_pages

routes = http.routes()

PAGE: dict[int, Any] = {
    200: {"description": "A page to read and print.", "content": {"text/html": {"schema": {"type": "string"}}}}
}


@routes.get("/invoices/<invoice_id>/page", tags=["invoices"], responses={**PAGE, **http.problems(404)})
def get_invoice_page(invoice_id: Annotated[Id, Path()]) -> Response[str]:
    """Get an invoice or a credit note as a page to read and print, in the language of its customer."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "print_invoice")) as session:
        return http.text_of(HTTPStatus.OK, invoice_pages.HTML, invoice_pages.of(session, invoice_id))
