"""POST /bookings: take seats at an event. Beside it are the caller's bookings, their payments, and holds."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body

import holding
import own_bookings
import paying
from marquee.booking import bookings
from marquee.core import database
from marquee.edge import http
from marquee.edge.observability import LambdaContext, observed

app = http.resolver(own_bookings.routes, holding.routes, paying.routes)


@app.post("/bookings", tags=["bookings"], status_code=201, responses=http.problems(402, 404, 409, 429))
def book(
    request: Annotated[bookings.BookingRequest, Body()], idempotency_key: http.IdempotencyKey = None
) -> Response[bookings.Booking]:
    """Book seats at an event, all of them or none.

    With an Idempotency-Key, a retry takes no more seats and gets the same response. For card and TWINT the seats are
    reserved until the payment is made; `payment` has the data that Stripe's elements need.
    """
    event = app.current_event
    limit = http.limited(event, "book", customer_id=request.customer_id)
    with database.single(http.caller(event), limit=limit) as session:
        booked = bookings.book(session, request, idempotency_key)
    return http.text_json(HTTPStatus.CREATED, paying.with_payment(booked))


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Serve a request."""
    return app.resolve(event, context)
