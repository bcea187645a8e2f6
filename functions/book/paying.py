"""GET and POST /bookings/{booking_id}/payment: read a booking's payment, and start or resume it at Stripe."""

import json
from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path

from marquee.booking.bookings import Booked
from marquee.core import database
from marquee.core.models import Id
from marquee.edge import http, stripe
from marquee.edge.observability import count
from marquee.payments import checkout
from marquee.payments.checkout import Payment, PaymentTerms

routes = http.routes()


def with_payment(booked: Booked) -> str:
    """Return a new booking's answer unchanged, or with the payment terms if the client must still pay by Stripe."""
    if booked.payment is None:
        count("BookingConfirmed")
        return booked.answer
    count("BookingPending")
    payment = _told(checkout.begun(stripe.client, booked.payment))
    terms = payment.model_dump(mode="json", include=set(PaymentTerms.model_fields))
    return json.dumps({**json.loads(booked.answer), "payment": terms})


@routes.get("/bookings/<booking_id>/payment", tags=["bookings"], responses=http.problems(404))
def get_payment(booking_id: Annotated[Id, Path()]) -> Response[Payment]:
    """Get the payment of a booking by card or TWINT."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "read_records")) as session:
        return http.json(HTTPStatus.OK, checkout.payment_of(session, booking_id))


@routes.post("/bookings/<booking_id>/payment", tags=["bookings"], responses=http.problems(404, 409))
def begin_payment(booking_id: Annotated[Id, Path()]) -> Response[Payment]:
    """Start or resume the payment of a booking. Repeated calls return the same payment."""
    event = routes.current_event
    caller, limit = http.caller(event), http.limited(event, "begin_payment")
    return http.json(HTTPStatus.OK, _told(checkout.begin(stripe.client, caller, booking_id, limit)))


def _told(payment: Payment) -> Payment:
    """Return the payment, and count it if Stripe could not be reached."""
    if payment.client_secret is None:
        count("StripeUnavailable")
    return payment
