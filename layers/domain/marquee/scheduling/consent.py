"""The consent of an organizer to an edit that cancels bookings or waitlist entries of other people."""

import json
from typing import Annotated, TypeVar

from pydantic import Field

from marquee.core.models import Answer, Flag, Request, Whole

Edit = TypeVar("Edit", bound=Request)
Number = Annotated[Whole, Field(ge=0, le=10_000_000)]


class Confirmation(Request):
    """The numbers of a refusal `would_cancel`. If the edit would cancel more by now, it is refused again."""

    events: Number = 0
    bookings: Number = 0
    waitlist_entries: Number = 0
    people: Number = 0
    seats: Number = 0


Consent = Annotated[
    Flag | Confirmation,
    Field(
        description="Consent to cancel bookings and waitlist entries: the numbers of the refusal `would_cancel`,"
        " or true for any number."
    ),
]


class Cancelled(Answer):
    """The events, bookings and open waitlist entries that an edit cancelled, with their customers and booked seats."""

    events: int = 0
    bookings: int = 0
    waitlist_entries: int = 0
    people: int = 0
    seats: int = 0


def given(request: Edit) -> Edit:
    """Return a request with the consent to any number, to try its effects in a preview."""
    return request.model_copy(update={"confirm": True})


def as_json(consent: Consent) -> str:
    """Return a consent in the form that the routines accept."""
    return json.dumps(consent.model_dump() if isinstance(consent, Confirmation) else consent)
