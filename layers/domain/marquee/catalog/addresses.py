"""Secret addresses of people's calendars: calendar programs send no token, so the address is the proof.

The database stores the hash of a secret alone. A person has one address; creating another revokes it.
"""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from marquee.core import codes
from marquee.core.database import Session
from marquee.core.models import Answer

PATH = "/calendars/{secret}/bookings.ics"


class CalendarAddress(Answer):
    """The secret address of the caller's calendar, which only this response contains."""

    url: Annotated[
        str,
        Field(
            description="Subscribe to it in a calendar program. Everyone who knows it can read the bookings.",
            examples=["https://api.example.org/calendars/…/bookings.ics"],
        ),
    ]
    created_at: datetime


def create(session: Session, base_url: str) -> CalendarAddress:
    """Give the caller's calendar a new secret address, and revoke the former one.

    Refuses: 401 unauthenticated, 403 forbidden.
    """
    secret = codes.new_code()
    created_at = session.value("select users.create_calendar_address(secret_hash => %s)", [codes.hash_of(secret)])
    return CalendarAddress(url=base_url + PATH.format(secret=secret), created_at=created_at)


def revoke(session: Session) -> None:
    """Revoke the secret address of the caller's calendar. Refuses: 401 unauthenticated, 403 forbidden."""
    session.value("select users.revoke_calendar_address()")
