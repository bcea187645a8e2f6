"""Messages about the operation of the system and about erased people."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from marquee.core.models import Answer


class ErasedPerson(Answer):
    """A person who was erased: delete your data about them."""

    customer_id: UUID
    organization_id: UUID


class Alert(Answer):
    """An alert with its rule."""

    alert_id: int
    rule: str
    severity: Literal["warning", "critical"]
    metric: str
    aggregate: str
    window_seconds: int
    comparison: str
    threshold: float
    value: float | None
    pending_since: datetime
    fired_at: datetime | None
    resolved_at: datetime | None
