"""Payments that staff take at the desk, and refunds that they pay out. POST /bookings takes those of bookings."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from marquee.core import database
from marquee.core.models import Id
from marquee.edge import http
from marquee.edge.observability import count
from marquee.payments import tills
from marquee.payments.fees import Fee
from marquee.payments.invoices import Invoice
from marquee.payments.packages import Purchase
from marquee.payments.refund_requests import Refund

routes = http.routes()


@routes.post("/fees/<fee_id>/desk-payment", tags=["desk"], responses=http.problems(403, 404, 409))
def pay_fee(
    fee_id: Annotated[Id, Path()],
    request: Annotated[tills.DeskPaymentRequest, Body()],
    idempotency_key: http.IdempotencyKey = None,
) -> Response[Fee]:
    """Take the money for an owed fee into a till, in cash or by the organizer's terminal."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "take_money")) as session:
        fee = tills.pay_fee(session, fee_id, request, idempotency_key)
    count("DeskPaymentTaken")
    return http.json(HTTPStatus.OK, fee)


@routes.post("/invoices/<invoice_id>/desk-payment", tags=["desk"], responses=http.problems(403, 404, 409))
def pay_invoice(
    invoice_id: Annotated[Id, Path()],
    request: Annotated[tills.DeskPaymentRequest, Body()],
    idempotency_key: http.IdempotencyKey = None,
) -> Response[Invoice]:
    """Take the money for the open amount of an invoice into a till, in cash or by the organizer's terminal."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "take_money")) as session:
        invoice = tills.pay_invoice(session, invoice_id, request, idempotency_key)
    count("DeskPaymentTaken")
    return http.json(HTTPStatus.OK, invoice)


@routes.post(
    "/packages/<package_id>/desk-sales", tags=["desk"], status_code=201, responses=http.problems(403, 404, 409)
)
def sell_package(
    package_id: Annotated[Id, Path()],
    request: Annotated[tills.DeskSaleRequest, Body()],
    idempotency_key: http.IdempotencyKey = None,
) -> Response[Purchase]:
    """Take the price of a package into a till, and grant the customer its credits."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "take_money")) as session:
        purchase = tills.sell_package(session, package_id, request, idempotency_key)
    count("DeskPaymentTaken")
    return http.json(HTTPStatus.CREATED, purchase)


@routes.post("/refunds/<refund_id>/payout", tags=["desk"], responses=http.problems(403, 404, 409))
def pay_out(
    refund_id: Annotated[Id, Path()],
    request: Annotated[tills.PayoutRequest | None, Body()] = None,
    idempotency_key: http.IdempotencyKey = None,
) -> Response[Refund]:
    """Pay a refund out of a till, by the method by which the money was taken."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "take_money")) as session:
        refund = tills.pay_out(session, refund_id, request or tills.PayoutRequest(), idempotency_key)
    count("DeskRefundPaid")
    return http.json(HTTPStatus.OK, refund)
