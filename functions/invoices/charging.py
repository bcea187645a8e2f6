"""No-show fees: list them, record their payment to the organizer, waive them."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from marquee.core import database, paging
from marquee.core.models import Id
from marquee.edge import http
from marquee.edge.observability import count
from marquee.payments import fees
from marquee.payments.fees import Fee, WaiveRequest

routes = http.routes()


@routes.get("/fees", tags=["invoices"])
def list_fees(
    organization_id: Annotated[
        Id | None, Query(description="An organization, for its staff. Default: the caller's own fees.")
    ] = None,
    status: Annotated[fees.Status | None, Query(description="Only those with this status.")] = None,
    limit: http.PageSize = paging.DEFAULT_LIMIT,
    cursor: http.Cursor = None,
) -> Response[paging.Page[Fee]]:
    """List no-show fees, newest first."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "read_records")) as session:
        return http.json(HTTPStatus.OK, fees.visible(session, organization_id, status, limit, cursor))


@routes.post("/fees/<fee_id>/paid", tags=["invoices"], responses=http.problems(404, 409))
def record_fee_payment(fee_id: Annotated[Id, Path()]) -> Response[Fee]:
    """Record that an owed fee was paid at the organizer's desk or bank; for its front desk and bookkeepers."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "record_payments")) as session:
        fee = fees.record_payment(session, fee_id)
    count("FeePaid")
    return http.json(HTTPStatus.OK, fee)


@routes.post("/fees/<fee_id>/waive", tags=["invoices"], responses=http.problems(404))
def waive_fee(fee_id: Annotated[Id, Path()], request: Annotated[WaiveRequest, Body()]) -> Response[Fee]:
    """Waive a fee that is owed, or pay back a fee that was paid; for the organization's front desk and bookkeepers."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "record_payments")) as session:
        fee = fees.waive(session, fee_id, request)
    count("FeeWaived")
    return http.json(HTTPStatus.OK, fee)
