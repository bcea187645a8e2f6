"""Messages about events: the API's object with the change."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from marquee.scheduling.events import ManagedEvent


class ChangedEvent(ManagedEvent):
    """An event as staff see it, with what changed, for one of its customers."""

    customer_id: UUID
    booking_id: Annotated[UUID | None, Field(description="Null if the customer is on the waitlist.")]
    changed: Annotated[list[str], Field(description="Names of the members that changed.")]
    previous_starts_at: datetime
