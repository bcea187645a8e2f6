"""Messages about events: the API's object with the change."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from marquee.scheduling.events import ManagedEvent


class ChangedEvent(ManagedEvent):
    """An event as staff see it, with what changed, for one of its customers."""

    customer_id: UUID
    booking_id: Annotated[UUID | None, Field(description="Null if the customer is on the waitlist.")]
    changed: Annotated[list[str], Field(description="Names of the members that changed.")]
    previous_starts_at: datetime


class LedEvent(ManagedEvent):
    """An event as staff see it, for a person who leads it or has led it."""

    notified_instructor_id: UUID
    duty: Annotated[
        Literal["assigned", "released", "changed"], Field(description="The effect of the edit on this person.")
    ]
    changed: Annotated[list[str], Field(description="Names of the members that changed, for the duty `changed`.")]
    events: Annotated[int, Field(description="The number of events of the edit that concern this person.")]
