"""Previews: an action is tried in a transaction, its effects are counted, and the transaction is rolled back.

with database.preview(caller, limit=limit) as session:
events.cancel(session, event_id, reason)
return previews.effects(session)
"""

from typing import Annotated

from pydantic import Field

from marquee.core.database import Session
from marquee.core.models import Answer


class Refunds(Answer):
    """Payments that would be refunded in a currency, to wallets and tills too."""

    currency: str
    payments: int
    amount_cents: int


class Preview(Answer):
    """The effects that the request would have. Nothing was written."""

    events: Annotated[int, Field(description="Events that would be cancelled.")]
    bookings: Annotated[int, Field(description="Bookings that would end.")]
    seats: Annotated[int, Field(description="The seats of these bookings.")]
    waitlist_entries: Annotated[int, Field(description="Waitlist entries that would end.")]
    offers: Annotated[int, Field(description="Waitlist entries that would get an offer.")]
    people: Annotated[int, Field(description="Different customers whom it concerns or who get a message.")]
    refunds: list[Refunds]
    payments_stopped: Annotated[int, Field(description="Payments that would no longer be accepted.")]
    messages: int
    topics: Annotated[dict[str, int], Field(description="The number of messages of each topic.")]


def effects(session: Session) -> Preview:
    """Count what the transaction of a preview has done so far."""
    return Preview.model_validate(session.value("select ops.preview_effects()"))
