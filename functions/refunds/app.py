"""Refunds: refund a part of a price, list refunds, resend failed ones, settle debts."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from marquee.core import database, paging
from marquee.core.models import Id
from marquee.edge import http
from marquee.edge.observability import LambdaContext, count, observed
from marquee.payments import refund_requests
from marquee.payments.refund_requests import Progress, Refund

app = http.resolver()


@app.post("/bookings/<booking_id>/refunds", tags=["refunds"], status_code=201, responses=http.problems(404, 409))
def refund(
    booking_id: Annotated[Id, Path()],
    request: Annotated[refund_requests.RefundRequest, Body()],
    idempotency_key: http.IdempotencyKey = None,
) -> Response[Refund]:
    """Refund a part of a booking's price, or all of it that is not yet refunded. The booking itself does not change."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "refund")) as session:
        refunded = refund_requests.refund(session, booking_id, request, idempotency_key)
    count("RefundRequested")
    return http.json(HTTPStatus.CREATED, refunded)


@app.post("/refunds/<refund_id>/reopen", tags=["refunds"], responses=http.problems(404, 409))
def reopen(
    refund_id: Annotated[Id, Path()], request: Annotated[refund_requests.ReopenRequest | None, Body()] = None
) -> Response[Refund]:
    """Send a refund again that Stripe could not deliver, the same way or to the wallet."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "refund")) as session:
        return http.json(
            HTTPStatus.OK, refund_requests.reopen(session, refund_id, request or refund_requests.ReopenRequest())
        )


@app.post("/refunds/<refund_id>/settle", tags=["refunds"], responses=http.problems(404, 409))
def settle_debt(
    refund_id: Annotated[Id, Path()], request: Annotated[refund_requests.SettleRequest, Body()]
) -> Response[Refund]:
    """Record that the debt of an excess refund was paid to the organizer, or write it off."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "refund")) as session:
        return http.json(HTTPStatus.OK, refund_requests.settle_debt(session, refund_id, request))


@app.get("/refunds", tags=["refunds"])
def list_refunds(
    limit: http.PageSize = paging.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> Response[paging.Page[Refund]]:
    """List the caller's refunds and those of organizations where the caller keeps the books, newest first."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "read_records")) as session:
        return http.json(HTTPStatus.OK, refund_requests.visible(session, limit, cursor))


@app.get("/events/<event_id>/refunds", tags=["refunds"], responses=http.problems(404))
def get_progress(event_id: Annotated[Id, Path()]) -> Response[Progress]:
    """Get the progress of an event's refunds."""
    with database.single(http.caller(app.current_event)) as session:
        return http.json(HTTPStatus.OK, refund_requests.progress(session, event_id))


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Serve a request."""
    return app.resolve(event, context)
