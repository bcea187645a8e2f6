"""Bookings: take seats at an event, give them back, look at them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from marquee.core import paging
from marquee.core.database import Session
from marquee.core.errors import Refused
from marquee.core.models import Answer, Flag, Id, PromoCode, Request, Seats
from marquee.payments import checkout

Status = Literal["pending_payment", "held", "confirmed", "cancelled", "refunded", "attended", "no_show", "expired"]
PaymentMethod = Literal["none", "comp", "card", "twint", "wallet", "pass", "invoice"]

_BOOK = """
select events.book(
    event_id => %(event_id)s, seats => %(seats)s, payment_method => %(payment_method)s,
    customer_id => %(customer_id)s, guest => %(guest)s, hold_id => %(hold_id)s,
    idempotency_key => %(idempotency_key)s, promo_code => %(promo_code)s
)
"""
_BOOK_AND_PAY = f"""
with made as materialized ({_BOOK} as answer)
select m.answer, case when m.answer::json ->> 'status' = 'pending_payment'
    then payments.payment_of(booking_id => (m.answer::json ->> 'id')::uuid) end as payment
from made as m
"""  # noqa: S608 the words are our own


class BookingRequest(Request):
    """Seats to take together or not at all."""

    event_id: Id
    seats: Seats = 1
    payment_method: Annotated[
        Literal["card", "twint", "wallet", "pass", "invoice", "comp"] | None,
        Field(description="How to pay for an event that costs something; comp: given away, by staff only."),
    ] = None
    customer_id: Annotated[
        Id | None, Field(description="For whom, when staff books for somebody who came to the organization.")
    ] = None
    guest: Annotated[Flag, Field(description="Extra seats for guests, beside a booking that is there.")] = False
    hold_id: Annotated[Id | None, Field(description="A hold whose seats to book.")] = None
    promo_code: PromoCode | None = None


class CancelRequest(Request):
    """Why a booking is cancelled."""

    reason: Annotated[str | None, Field(max_length=500)] = None
    waive: Annotated[Flag, Field(description="Charge no late fee; for staff only.")] = False


class Booking(Answer):
    """A booking as it was made."""

    id: UUID
    event_id: UUID
    customer_id: UUID
    seats: int
    guest: bool
    status: Status
    payment_method: PaymentMethod
    price_cents: Annotated[int, Field(description="What all its seats cost together, in cents of the currency.")]
    currency: str
    created_at: datetime
    payment: Annotated[
        checkout.PaymentTerms | None, Field(description="What is to be paid by card or TWINT before expires_at.")
    ] = None


class CancelledBooking(Booking):
    """A booking whose seats were given back."""

    cancelled_at: datetime
    reason: str | None
    late: Annotated[bool, Field(description="After the cut-off of the booking's policy.")]
    fee_cents: Annotated[int, Field(description="What cancelling late costs by that policy.")]


class BookingDetails(Booking):
    """A booking as it is now, and its event."""

    cancelled_at: datetime | None
    reason: str | None
    late: bool
    fee_cents: int
    event_title: str
    event_status: Literal["draft", "scheduled", "cancelled", "completed"]
    starts_at: datetime
    ends_at: datetime
    time_zone: str


@dataclass(frozen=True, slots=True)
class Booked:
    """A booking that was made.

    `answer` is a Booking as JSON text, the same to the letter when its key comes again; `payment` is how its payment
    through Stripe stands, where it has one.
    """

    answer: str
    payment: checkout.Payment | None = None


def book(session: Session, request: BookingRequest, idempotency_key: str | None) -> Booked:
    """Take seats, in one statement.

    Refuses as events.book does: 400 idempotency_key_required, 402 payment_required, 403 forbidden, 404 event_not_found,
    customer_not_found and promo_code_not_found, 409 already_booked, booking_window_closed, event_not_bookable,
    hold_expired, insufficient_credits, insufficient_funds, promo_code_not_valid, promo_code_used_up and sold_out,
    422 idempotency_conflict.
    """
    given = {**request.model_dump(), "idempotency_key": idempotency_key}
    if request.payment_method not in ("card", "twint"):
        return Booked(session.value(_BOOK, given))
    row = session.one(_BOOK_AND_PAY, given)
    if row is None:
        raise RuntimeError("events.book answered nothing.")
    payment = None if row["payment"] is None else checkout.Payment.model_validate(row["payment"])
    return Booked(row["answer"], payment)


def cancel(session: Session, booking_id: UUID, request: CancelRequest) -> CancelledBooking:
    """Give a booking's seats back; cancelling again answers the same.

    Refuses: 403 forbidden, 404 booking_not_found, 409 event_over, 409 invalid_transition.
    """
    answer = session.value(
        "select events.cancel_booking(booking_id => %s, reason => %s, waive => %s)",
        [booking_id, request.reason, request.waive],
    )
    return CancelledBooking.model_validate(answer)


def get(session: Session, booking_id: UUID) -> BookingDetails:
    """A booking that the caller may see. Refuses: 404 booking_not_found."""
    row = session.one("select b.* from events.booking_details as b where b.id = %s", [booking_id])
    if row is None:
        raise Refused(404, "booking_not_found")
    return BookingDetails.model_validate(row)


def mine(session: Session, limit: int, cursor: str | None) -> paging.Page[BookingDetails]:
    """The caller's own bookings, newest first."""
    after = paging.after(cursor, UUID)
    rows = session.all(
        """
        select b.*
        from events.booking_details as b
        where b.customer_id = (select ops.caller_id()) and (%(after)s::uuid is null or b.id < %(after)s::uuid)
        order by b.id desc
        limit %(most)s
        """,
        {"after": after[0] if after else None, "most": limit + 1},
    )
    return paging.page(rows, limit, BookingDetails.model_validate, lambda row: (row["id"],))
