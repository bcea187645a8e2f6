"""Waitlists: wait for seats at a full event, in strict order, and take or decline what is offered."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from marquee.core import paging
from marquee.core.database import Session
from marquee.core.models import Answer, Id, PromoCode, Request, Seats

Status = Literal["waiting", "offered", "accepted", "expired", "left"]


class JoinRequest(Request):
    """How many seats to wait for, and for whom when staff does it."""

    seats: Seats = 1
    customer_id: Id | None = None


class AcceptRequest(Request):
    """How to pay for the offered seats, where they cost something."""

    payment_method: Literal["card", "twint", "wallet", "pass", "invoice", "comp"] | None = None
    promo_code: PromoCode | None = None


class Entry(Answer):
    """Somebody's wait for seats."""

    id: UUID
    event_id: UUID
    customer_id: UUID
    seats: int
    status: Status
    position: Annotated[int | None, Field(description="From 1, among those who wait; null once offered or ended.")]
    offered_at: datetime | None
    offer_expires_at: Annotated[datetime | None, Field(description="Until when the offered seats are kept.")]
    booking_id: UUID | None
    joined_at: datetime


class ListedEntry(Answer):
    """An entry as the staff sees it."""

    entry_id: UUID
    customer_id: UUID
    name: str | None
    seats: int
    place: Annotated[int, Field(description="Order of the queue; it only grows.")]
    status: Status
    offer_expires_at: datetime | None
    joined_at: datetime


class Promotion(Answer):
    """An event's open offers, and how many still wait."""

    event_id: UUID
    offered: list[Entry]
    waiting: int


def join(session: Session, event_id: UUID, request: JoinRequest) -> Entry:
    """Wait for seats; joining again answers the first entry.

    Refuses: 403 forbidden, 404 event_not_found and customer_not_found, 409 already_booked, booking_window_closed,
    event_not_bookable, seats_available and waitlist_closed.
    """
    answer = session.value(
        "select events.join_waitlist(event_id => %s, seats => %s, customer_id => %s)",
        [event_id, request.seats, request.customer_id],
    )
    return Entry.model_validate(answer)


def place(session: Session, event_id: UUID) -> Entry:
    """The caller's own entry. Refuses: 404 waitlist_entry_not_found."""
    return Entry.model_validate(session.value("select events.waitlist_place(event_id => %s)", [event_id]))


def leave(session: Session, event_id: UUID) -> Entry:
    """Stop waiting; leaving again answers the same. Refuses: 404 waitlist_entry_not_found."""
    return Entry.model_validate(session.value("select events.leave_waitlist(event_id => %s)", [event_id]))


def accept(session: Session, entry_id: UUID, request: AcceptRequest, idempotency_key: str | None) -> Entry:
    """Take the offered seats; accepting again answers the same.

    Refuses: 400 idempotency_key_required, 402 payment_required, 404 waitlist_entry_not_found, 409 already_booked,
    event_not_bookable, hold_expired and offer_not_open.
    """
    answer = session.value(
        "select events.accept_offer(entry_id => %s, payment_method => %s, idempotency_key => %s, promo_code => %s)",
        [entry_id, request.payment_method, idempotency_key, request.promo_code],
    )
    return Entry.model_validate(answer)


def decline(session: Session, entry_id: UUID) -> Entry:
    """Say no to an offer; its seats go to the next person. Refuses: 404 waitlist_entry_not_found."""
    return Entry.model_validate(session.value("select events.decline_offer(entry_id => %s)", [entry_id]))


def entries(session: Session, event_id: UUID, limit: int, cursor: str | None) -> paging.Page[ListedEntry]:
    """An event's waitlist in order, for its staff. Refuses: 403 forbidden, 404 event_not_found."""
    after = paging.after(cursor, paging.INTEGER)
    rows = session.all(
        "select w.* from events.waitlist_entries_of(event_id => %s, after => %s, most => %s) as w",
        [event_id, after[0] if after else 0, limit + 1],
    )
    return paging.page(rows, limit, ListedEntry.model_validate, lambda row: (row["place"],))


def promote(session: Session, event_id: UUID) -> Promotion:
    """Offer free seats now, in the order of the list. Refuses: 403 forbidden, 404 event_not_found."""
    return Promotion.model_validate(session.value("select events.promote_waitlist(event_id => %s)", [event_id]))


def expire(session: Session, most: int = 100) -> dict[str, Any]:
    """Let lapsed holds and offers go, for the schedule: {events, holds_expired, waits_ended, more}."""
    answer: dict[str, Any] = session.value("select events.expire_holds(most => %s)", [most])
    return answer


def promote_all(session: Session, most: int = 100) -> int:
    """Offer seats that are free while somebody waits, for the schedule; how many offers were made."""
    answer: dict[str, Any] = session.value("select events.promote_waitlists(most => %s)", [most])
    return int(answer["offers_made"])
