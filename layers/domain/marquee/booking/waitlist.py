"""Waitlists: wait for seats at a full event, in strict order, and accept or decline offers."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from marquee.booking.access import ORGANIZATION_OF_EVENT
from marquee.core import paging
from marquee.core.database import Access, Session
from marquee.core.models import Answer, Id, PromoCode, Request, Seats, TotalCents

Status = Literal["waiting", "offered", "accepted", "expired", "left"]


class JoinRequest(Request):
    """The number of seats to wait for, and the customer if staff adds the entry."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"seats": 1}]})

    seats: Seats = 1
    customer_id: Id | None = None


class AcceptRequest(Request):
    """The way to pay for the offered seats, if they have a price."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"payment_method": "card"}]})

    payment_method: Literal["card", "twint", "wallet", "pass", "invoice", "comp", "cash", "terminal"] | None = None
    promo_code: PromoCode | None = None
    total_cents: TotalCents | None = None


class Entry(Answer):
    """A customer's entry on a waitlist."""

    id: UUID
    event_id: UUID
    customer_id: UUID
    seats: int
    status: Status
    position: Annotated[
        int | None, Field(description="Position among waiting entries, from 1; null once offered or ended.")
    ]
    offered_at: datetime | None
    offer_expires_at: Annotated[datetime | None, Field(description="The offered seats are reserved until then.")]
    booking_id: UUID | None
    joined_at: datetime


class JoinedEntry(Entry):
    """An entry of a customer who has joined."""

    seats_left: Annotated[
        int | None, Field(description="Seats on sale now, fewer than the customer waits for. Null: no limit.")
    ]


class ListedEntry(Answer):
    """A waitlist entry as staff see it."""

    entry_id: UUID
    customer_id: UUID
    name: str | None
    seats: int
    place: Annotated[int, Field(description="Order of the queue. New entries get higher numbers.")]
    status: Status
    offer_expires_at: datetime | None
    joined_at: datetime


class Promotion(Answer):
    """An event's open offers, and the number of customers who still wait."""

    event_id: UUID
    offered: list[Entry]
    waiting: int


def join(session: Session, event_id: UUID, request: JoinRequest) -> JoinedEntry:
    """Join a waitlist; joining again returns the first entry.

    Refuses: 403 forbidden, 404 event_not_found and customer_not_found, 409 already_booked, booking_window_closed,
    event_not_bookable, seats_available and waitlist_closed.
    """
    answer = session.value(
        "select events.join_waitlist(event_id => %s, seats => %s, customer_id => %s)",
        [event_id, request.seats, request.customer_id],
    )
    return JoinedEntry.model_validate(answer)


def place(session: Session, event_id: UUID) -> Entry:
    """Return the caller's own entry. Refuses: 404 waitlist_entry_not_found."""
    return Entry.model_validate(session.value("select events.waitlist_place(event_id => %s)", [event_id]))


def leave(session: Session, event_id: UUID) -> Entry:
    """Leave a waitlist; leaving again returns the same. Refuses: 404 waitlist_entry_not_found."""
    return Entry.model_validate(session.value("select events.leave_waitlist(event_id => %s)", [event_id]))


def accept(session: Session, entry_id: UUID, request: AcceptRequest, idempotency_key: str | None) -> Entry:
    """Accept the offered seats; accepting again returns the same.

    Refuses: 400 idempotency_key_required, 402 payment_required, 404 waitlist_entry_not_found, 409 already_booked,
    event_not_bookable, hold_expired, offer_not_open and price_changed, 422 idempotency_conflict.
    """
    answer = session.value(
        "select events.accept_offer(entry_id => %s, payment_method => %s, idempotency_key => %s, promo_code => %s,"
        " total_cents => %s) as answer",
        [entry_id, request.payment_method, idempotency_key, request.promo_code, request.total_cents],
        access=Access.of_answer("accept_offer", ORGANIZATION_OF_EVENT),
    )
    return Entry.model_validate(answer)


def decline(session: Session, entry_id: UUID) -> Entry:
    """Decline an offer; its seats are offered to the next person. Refuses: 404 waitlist_entry_not_found."""
    answer = session.value(
        "select events.decline_offer(entry_id => %s) as answer",
        [entry_id],
        access=Access.of_answer("decline_offer", ORGANIZATION_OF_EVENT),
    )
    return Entry.model_validate(answer)


def entries(session: Session, event_id: UUID, limit: int, cursor: str | None) -> paging.Page[ListedEntry]:
    """List an event's waitlist in order, for its staff. Refuses: 403 forbidden, 404 event_not_found."""
    after = paging.after(cursor, paging.INTEGER)
    rows = session.all(
        "select w.* from events.waitlist_roster(event_id => %s, after => %s, most => %s) as w",
        [event_id, after[0] if after else 0, limit + 1],
    )
    return paging.page(rows, limit, ListedEntry.model_validate, lambda row: (row["place"],))


def promote(session: Session, event_id: UUID) -> Promotion:
    """Offer free seats now, in the order of the waitlist. Refuses: 403 forbidden, 404 event_not_found."""
    return Promotion.model_validate(session.value("select events.promote_waitlist(event_id => %s)", [event_id]))


def expire(session: Session, most: int = 100) -> dict[str, Any]:
    """Expire holds and offers, for the schedule. Returns {events, holds_expired, waits_ended, more}."""
    answer: dict[str, Any] = session.value("select events.expire_holds(most => %s)", [most])
    return answer


def promote_all(session: Session, most: int = 100) -> int:
    """Offer free seats to all waitlists, for the schedule. Returns the number of offers."""
    answer: dict[str, Any] = session.value("select events.promote_waitlists(most => %s)", [most])
    return int(answer["offers_made"])
