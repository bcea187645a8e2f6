"""Bookings: take seats at an event, cancel them, read them."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from marquee.booking import access_links
from marquee.booking.access import ORGANIZATION_OF_EVENT
from marquee.core import database, paging
from marquee.core.database import Access, Limit, Session
from marquee.core.errors import Refused, Unavailable
from marquee.core.identity import Caller
from marquee.core.models import Answer, Flag, Id, PromoCode, Request, Seats, TotalCents
from marquee.core.text_types import Name, Text
from marquee.payments import checkout

if TYPE_CHECKING:
    from stripe import StripeClient

Status = Literal["pending_payment", "held", "confirmed", "cancelled", "refunded", "attended", "no_show", "expired"]
PaymentMethod = Literal["none", "comp", "card", "twint", "wallet", "pass", "invoice", "cash", "terminal"]

_BOOK = """
select events.book(
    event_id => %(event_id)s, seats => %(seats)s, payment_method => %(payment_method)s,
    customer_id => %(customer_id)s, guest => %(guest)s, hold_id => %(hold_id)s,
    idempotency_key => %(idempotency_key)s, promo_code => %(promo_code)s, total_cents => %(total_cents)s
)
"""
_OPENED = "opened as materialized (select events.use_access_code(access_hash => %(access_hash)s))"
"""Sets the access code for the statement's own transaction, before the booking that selects from it."""
_WITH_PAYMENT = """
select m.answer, case when m.answer::json ->> 'status' = 'pending_payment'
    then payments.payment_details(
        booking_id => (m.answer::json ->> 'id')::uuid, is_first_answer => true
    ) end as payment
from made as m
"""
_BOOK_AND_PAY = f"with made as materialized ({_BOOK} as answer) {_WITH_PAYMENT}"
_OPEN_AND_BOOK = f"with {_OPENED} {_BOOK} from opened"
_OPEN_BOOK_AND_PAY = f"with {_OPENED}, made as materialized ({_BOOK} as answer from opened) {_WITH_PAYMENT}"


class BookingRequest(Request):
    """Seats to book, all of them or none."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"event_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a", "seats": 2}]}
    )

    event_id: Id
    seats: Seats = 1
    payment_method: Annotated[
        Literal["card", "twint", "wallet", "pass", "invoice", "comp", "cash", "terminal"] | None,
        Field(
            description="How to pay for an event with a price. comp: free of charge, for staff only. cash, terminal:"
            " taken at the desk by staff who may take money."
        ),
    ] = None
    customer_id: Annotated[Id | None, Field(description="The customer, if staff books for another person.")] = None
    guest: Annotated[Flag, Field(description="Extra seats for guests, in addition to an existing booking.")] = False
    hold_id: Annotated[Id | None, Field(description="The hold to book. Other held seats are used too.")] = None
    promo_code: PromoCode | None = None
    total_cents: TotalCents | None = None
    access_code: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=43,
            pattern=r"^[A-Za-z0-9_-]+$",
            description="The secret of a link to a private event, or its code.",
        ),
    ] = None


class PaymentMethodRequest(Request):
    """Another way to pay for an unpaid booking."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"payment_method": "wallet"}]})

    payment_method: Literal["card", "twint", "wallet", "pass", "invoice", "cash", "terminal"]
    total_cents: TotalCents | None = None


class CancelRequest(Request):
    """The reason for a cancellation."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "I cannot come."}]})

    reason: Annotated[Text, Field(max_length=500)] | None = None
    waive: Annotated[Flag, Field(description="Waive the late fee; for staff only.")] = False


class Booking(Answer):
    """A booking as it was created."""

    id: UUID
    event_id: UUID
    customer_id: UUID
    seats: int
    guest: bool
    status: Status
    payment_method: PaymentMethod
    price_cents: Annotated[int, Field(description="The price of all seats together, in cents of the currency.")]
    currency: str
    created_at: datetime
    payment: Annotated[
        checkout.PaymentTerms | None,
        Field(description="For a payment by card or TWINT. GET /bookings/{booking_id}/payment says when it is due."),
    ] = None


class CancelledBooking(Booking):
    """A cancelled booking, whose seats are free again."""

    cancelled_at: datetime
    reason: str | None
    late: Annotated[bool, Field(description="Whether it was cancelled after the deadline of its policy.")]
    fee_cents: Annotated[int, Field(description="The fee for a late cancellation by that policy.")]


class SeatsRequest(Request):
    """The seats of a booking to keep; the others are given back."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"seats": 1}]})

    seats: Annotated[Seats, Field(description="The seats that stay, fewer than now.")]
    waive: Annotated[Flag, Field(description="Waive the cost of giving seats back late; for staff only.")] = False


class ReducedBooking(Booking):
    """A booking after seats were given back."""

    refund_cents: Annotated[int, Field(description="The refund for the seats given back, by the policy.")]
    units: Annotated[int, Field(description="The units that return to the pass.")]


class NamesRequest(Request):
    """The names of the people who attend by a booking, at most one for each seat."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"names": ["Ana", "Ben"]}]})

    names: Annotated[list[Name], Field(max_length=20)]


class BookingNames(Answer):
    """The names of the people who attend by a booking."""

    booking_id: UUID
    event_id: UUID
    customer_id: UUID
    seats: int
    names: list[str]


class MoveRequest(Request):
    """Another event of the same organization, to which a booking moves."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"event_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a"}]})

    event_id: Id
    payment_method: Annotated[
        Literal["card", "twint", "wallet", "pass", "invoice", "comp", "cash", "terminal"] | None,
        Field(description="How to pay the new price. Default: as before; what was paid by card is in the wallet."),
    ] = None
    promo_code: PromoCode | None = None
    total_cents: TotalCents | None = None
    waive: Annotated[Flag, Field(description="Waive the cost of a late move; for staff only.")] = False


class MovedBooking(Booking):
    """The booking of the other event."""

    moved_from: Annotated[UUID, Field(description="The former booking, which is cancelled.")]
    late: Annotated[bool, Field(description="Whether the former booking was left after its deadline.")]
    fee_cents: Annotated[int, Field(description="The cost of leaving it late, by its policy.")]
    refund_cents: Annotated[int, Field(description="The refund because the other event costs less.")]


class BookingDetails(Booking):
    """A booking in its current state, with its event."""

    cancelled_at: datetime | None
    reason: str | None
    late: bool
    fee_cents: int
    excused: Annotated[bool, Field(description="Whether staff excused the no-show, so that it does not count.")]
    event_title: str
    event_status: Literal["draft", "scheduled", "cancelled", "completed"]
    starts_at: datetime
    ends_at: datetime
    time_zone: str


@dataclass(frozen=True, slots=True)
class Booked:
    """A booking that was made.

    `answer` is a Booking as JSON text, byte for byte the same when its key is repeated. `payment` is its payment at
    Stripe, if it has one.
    """

    answer: str
    payment: checkout.Payment | None = None


def book(session: Session, request: BookingRequest, idempotency_key: str | None) -> Booked:
    """Book seats, in one statement.

    Refuses as events.book does: 400 idempotency_key_required, 402 payment_required, 403 forbidden, 404 event_not_found,
    customer_not_found and promo_code_not_found, 409 already_booked, booking_window_closed, event_not_bookable,
    hold_expired, insufficient_credits, insufficient_funds, price_changed, promo_code_not_valid, promo_code_used_up and
    sold_out, 422 idempotency_conflict.
    """
    given = {**request.model_dump(), "idempotency_key": idempotency_key}
    code = request.access_code
    given["access_hash"] = access_links.access_hash(request.event_id, code) if code else None
    if request.payment_method not in ("card", "twint"):
        return Booked(session.value(_OPEN_AND_BOOK if code else _BOOK, given))
    row = session.one(_OPEN_BOOK_AND_PAY if code else _BOOK_AND_PAY, given)
    if row is None:
        raise RuntimeError("events.book returned no row.")
    payment = None if row["payment"] is None else checkout.Payment.model_validate(row["payment"])
    return Booked(row["answer"], payment)


def change_payment_method(
    client: Callable[[], "StripeClient"],
    caller: Caller,
    booking_id: UUID,
    request: PaymentMethodRequest,
    now: Callable[[], datetime],
    limit: Limit | None = None,
) -> Booking:
    """Pay an unpaid booking by another method; once.

    A payment that has succeeded at Stripe meanwhile is found first. Otherwise the database changes the method, then
    the payment at Stripe is changed or cancelled. No transaction is open during calls to Stripe.

    Refuses: 402 payment_required, 404 booking_not_found and payment_not_found, 409 insufficient_credits,
    insufficient_funds, nothing_to_pay, payment_not_possible, payment_processing, price_changed, promo_code_not_valid
    and too_many_held. Raises Unavailable.
    """
    with database.single(caller, limit=limit) as session:
        before = checkout.payment_of(session, booking_id)
    is_stripe = request.payment_method in ("card", "twint")
    if is_stripe:
        # Stripe knows a payment by its key only with its first method, so it is created before the method changes.
        before = checkout.create_at_stripe(client, before)
        if before.status == "created" and before.stripe_payment_intent_id is None:
            raise Unavailable("Stripe cannot be reached. Send the request again.")
    checkout.refresh(client, before, now)
    booking = _set_method(caller, booking_id, request.payment_method, request.total_cents)
    if not is_stripe:
        checkout.stop_at_stripe(client, before, now)
    elif booking.status == "pending_payment" and booking.payment is not None:
        with database.single(caller) as session:
            payment = checkout.payment_of(session, booking_id)
        try:
            checkout.change_at_stripe(client, payment)
        except Refused:
            with contextlib.suppress(Refused):
                _set_method(caller, booking_id, before.method, None)
            raise
    return booking


def _set_method(caller: Caller, booking_id: UUID, method: str, total_cents: int | None) -> Booking:
    with database.single(caller) as session:
        answer = session.value(
            "select events.change_payment_method(booking_id => %s, payment_method => %s, total_cents => %s) as answer",
            [booking_id, method, total_cents],
            access=Access.of_answer("change_payment_method", ORGANIZATION_OF_EVENT),
        )
    return Booking.model_validate(answer)


def cancel(session: Session, booking_id: UUID, request: CancelRequest) -> CancelledBooking:
    """Cancel a booking and free its seats. Cancelling again returns the same.

    Refuses: 403 forbidden, 404 booking_not_found, 409 event_begun, 409 invalid_transition.
    """
    answer = session.value(
        "select events.cancel_booking(booking_id => %s, reason => %s, waive => %s) as answer",
        [booking_id, request.reason, request.waive],
        access=Access.of_answer("cancel_booking", ORGANIZATION_OF_EVENT),
    )
    return CancelledBooking.model_validate(answer)


def return_seats(
    session: Session, booking_id: UUID, request: SeatsRequest, idempotency_key: str | None
) -> ReducedBooking:
    """Give seats of a booking back, and offer them to the waitlist. A repeated request returns the first response.

    Refuses: 400 idempotency_key_required, 403 forbidden, 404 booking_not_found,
    409 booking_not_confirmed, event_begun, seats_not_fewer, 422 idempotency_conflict.
    """
    answer = session.value(
        "select events.return_seats(booking_id => %s, seats => %s, waive => %s, idempotency_key => %s) as answer",
        [booking_id, request.seats, request.waive, idempotency_key],
        access=Access.of_answer("return_seats", ORGANIZATION_OF_EVENT),
    )
    return ReducedBooking.model_validate(answer)


def move(session: Session, booking_id: UUID, request: MoveRequest, idempotency_key: str | None) -> MovedBooking:
    """Move a booking to another event, all of it or nothing. A repeated request returns the first response.

    Refuses: as `book` does; 409 booking_not_confirmed, event_begun, other_organization.
    """
    answer = session.value(
        """
        select events.move_booking(
            booking_id => %(booking_id)s, event_id => %(event_id)s, payment_method => %(payment_method)s,
            promo_code => %(promo_code)s, total_cents => %(total_cents)s, waive => %(waive)s,
            idempotency_key => %(idempotency_key)s
        ) as answer
        """,
        {**request.model_dump(), "booking_id": booking_id, "idempotency_key": idempotency_key},
        access=Access.of_answer("move_booking", ORGANIZATION_OF_EVENT),
    )
    return MovedBooking.model_validate(answer)


def name_attendees(session: Session, booking_id: UUID, names: list[str] | None) -> BookingNames:
    """Replace the names of the people who attend by a booking, or read them (None).

    Refuses: 404 booking_not_found, 409 booking_not_confirmed, too_many_names.
    """
    answer = session.value(
        "select events.set_booking_names(booking_id => %s, names => %s) as answer",
        [booking_id, names],
        access=Access.of_answer("booking_names", ORGANIZATION_OF_EVENT),
    )
    return BookingNames.model_validate(answer)


def get(session: Session, booking_id: UUID) -> BookingDetails:
    """Return a booking that the caller may see. Refuses: 404 booking_not_found."""
    row = session.one(
        "select b.* from events.booking_details as b where b.id = %s", [booking_id], access=Access("booking")
    )
    if row is None:
        raise Refused(404, "booking_not_found")
    return BookingDetails.model_validate(row)


def list_own(
    session: Session,
    limit: int,
    cursor: str | None,
    *,
    statuses: list[Status] | None = None,
    late: bool | None = None,
) -> paging.Page[BookingDetails]:
    """List the caller's own bookings, newest first: all, or those of some statuses, or cancelled late or in time."""
    after = paging.after(cursor, UUID)
    rows = session.all(
        """
        select b.*
        from events.booking_details as b
        where
            b.customer_id = (select ops.caller_id())
            and (%(after)s::uuid is null or b.id < %(after)s::uuid)
            and (%(statuses)s::text[] is null or b.status::text = any (%(statuses)s::text[]))
            and (%(late)s::boolean is null or b.late = %(late)s::boolean)
        order by b.id desc
        limit %(most)s
        """,
        {"after": after[0] if after else None, "most": limit + 1, "statuses": statuses, "late": late},
    )
    return paging.page(rows, limit, BookingDetails.model_validate, lambda row: (row["id"],))
