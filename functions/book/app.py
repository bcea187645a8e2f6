"""Bookings, holds and payments of customers: take seats, list bookings, start or resume a payment."""

import json
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from marquee.booking import bookings, holds, series_bookings
from marquee.booking.series_bookings import SeriesAvailability, SeriesBookingRequest, SeriesBookings
from marquee.core import clock, database, paging
from marquee.core.models import Id, Moment
from marquee.edge import http, stripe
from marquee.edge.observability import LambdaContext, count, observed
from marquee.payments import checkout
from marquee.payments.checkout import Payment

app = http.resolver()

Start = Annotated[Moment | None, Query(alias="from", description="The first start. Default: the next one.")]
Late = Annotated[bool | None, Query(description="Only bookings that were cancelled late, or not late.")]


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
    return http.text_json(HTTPStatus.CREATED, _with_payment(booked))


@app.get("/bookings", tags=["bookings"])
def list_bookings(
    status: Annotated[list[bookings.Status] | None, Query(max_length=8)] = None,
    late: Late = None,
    limit: http.PageSize = paging.DEFAULT_LIMIT,
    cursor: http.Cursor = None,
) -> Response[paging.Page[bookings.BookingDetails]]:
    """List the caller's bookings, newest first; for example no-shows, or late cancellations."""
    with database.single(http.caller(app.current_event)) as session:
        return http.json(HTTPStatus.OK, bookings.list_own(session, limit, cursor, statuses=status, late=late))


@app.get("/bookings/<booking_id>", tags=["bookings"], responses=http.problems(404))
def get_booking(booking_id: Annotated[Id, Path()]) -> Response[bookings.BookingDetails]:
    """Get a booking of the caller, or of an organization where the caller is staff."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "read_records")) as session:
        return http.json(HTTPStatus.OK, bookings.get(session, booking_id))


@app.get("/bookings/<booking_id>/names", tags=["bookings"], responses=http.problems(404))
def get_names(booking_id: Annotated[Id, Path()]) -> Response[bookings.BookingNames]:
    """Get the names of the people who attend by a booking."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "read_records")) as session:
        return http.json(HTTPStatus.OK, bookings.name_attendees(session, booking_id, None))


@app.put("/bookings/<booking_id>/names", tags=["bookings"], responses=http.problems(404, 409))
def set_names(
    booking_id: Annotated[Id, Path()], request: Annotated[bookings.NamesRequest, Body()]
) -> Response[bookings.BookingNames]:
    """Name the people who attend by a booking; the new list replaces the former one."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "cancel")) as session:
        return http.json(HTTPStatus.OK, bookings.name_attendees(session, booking_id, request.names))


@app.post("/holds", tags=["bookings"], status_code=201, responses=http.problems(404, 409))
def hold(request: Annotated[holds.HoldRequest, Body()]) -> Response[holds.Hold]:
    """Hold seats for some minutes, so that they can be booked with `hold_id`."""
    event = app.current_event
    limit = http.limited(event, "hold", customer_id=request.customer_id)
    with database.single(http.caller(event), limit=limit) as session:
        return http.json(HTTPStatus.CREATED, holds.hold(session, request))


@app.delete("/holds/<hold_id>", tags=["bookings"], responses=http.problems(404, 409))
def release(hold_id: Annotated[Id, Path()]) -> Response[holds.Hold]:
    """Release a hold before it expires."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "release_hold")) as session:
        return http.json(HTTPStatus.OK, holds.release(session, hold_id))


@app.get("/bookings/<booking_id>/payment", tags=["bookings"], responses=http.problems(404))
def get_payment(booking_id: Annotated[Id, Path()]) -> Response[Payment]:
    """Get the payment of a booking by card or TWINT."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "read_records")) as session:
        return http.json(HTTPStatus.OK, checkout.payment_of(session, booking_id))


@app.post("/bookings/<booking_id>/payment", tags=["bookings"], responses=http.problems(404, 409))
def begin_payment(booking_id: Annotated[Id, Path()]) -> Response[Payment]:
    """Start or resume the payment of a booking. Repeated calls return the same payment."""
    event = app.current_event
    caller, limit = http.caller(event), http.limited(event, "begin_payment")
    return http.json(HTTPStatus.OK, _count_if_unavailable(checkout.start(stripe.client, caller, booking_id, limit)))


@app.patch("/bookings/<booking_id>/payment", tags=["bookings"], responses=http.problems(402, 404, 409))
def change_payment_method(
    booking_id: Annotated[Id, Path()], request: Annotated[bookings.PaymentMethodRequest, Body()]
) -> Response[bookings.Booking]:
    """Pay an unpaid booking by another method, at the price at which it was booked. A repeated call changes nothing."""
    event = app.current_event
    caller, limit = http.caller(event), http.limited(event, "begin_payment")
    booking = bookings.change_payment_method(stripe.client, caller, booking_id, request, clock.now, limit)
    count("PaymentMethodChanged")
    return http.json(HTTPStatus.OK, booking)


@app.get("/series/<series_id>/availability", tags=["bookings"], responses=http.problems(404))
def get_series_availability(series_id: Annotated[Id, Path()], start: Start = None) -> Response[SeriesAvailability]:
    """List the future occurrences of a series, with free seats, prices and the caller's own bookings."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "read_records")) as session:
        return http.json(HTTPStatus.OK, series_bookings.read_availability(session, series_id, start))


@app.post("/series/<series_id>/bookings", tags=["bookings"], responses=http.problems(400, 404, 429))
def book_series(
    series_id: Annotated[Id, Path()],
    request: Annotated[SeriesBookingRequest, Body()],
    idempotency_key: http.IdempotencyKey = None,
) -> Response[SeriesBookings]:
    """Book a whole series, or the rest of it: up to 60 occurrences, each with its own result.

    A repeated request with the same key books nothing twice, and tries again what was refused.
    """
    event = app.current_event
    caller, limit = http.caller(event), http.limited(event, "book_series")
    booked = series_bookings.book_series(caller, series_id, request, idempotency_key, limit)
    count("SeriesBooked")
    return http.json(HTTPStatus.OK, booked)


def _with_payment(booked: bookings.Booked) -> str:
    """Return a new booking's answer unchanged, or with the payment terms if the client must still pay by Stripe."""
    if booked.payment is None:
        count("BookingConfirmed")
        return booked.answer
    count("BookingPending")
    payment = _count_if_unavailable(checkout.create_at_stripe(stripe.client, booked.payment))
    booking = json.loads(booked.answer)
    return json.dumps({**booking, "payment": checkout.terms_of(payment, booking["payment_method"])})


def _count_if_unavailable(payment: Payment) -> Payment:
    """Return the payment, and count it if Stripe could not be reached."""
    if payment.client_secret is None:
        count("StripeUnavailable")
    return payment


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Serve a request."""
    return app.resolve(event, context)
