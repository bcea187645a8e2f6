"""How an organization does."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from marquee.core.database import Session
from marquee.core.models import Answer


class Analytics(Answer):
    """An organization's figures, as of now; its days and its currency."""

    organization_id: UUID
    organization_name: str
    time_zone: str
    currency: str
    total_events: int
    upcoming_events: int
    draft_events: int
    scheduled_events: int
    cancelled_events: int
    completed_events: int
    total_bookings: int
    pending_bookings: int
    confirmed_bookings: int
    cancelled_bookings: int
    refunded_bookings: int
    attended_bookings: int
    no_show_bookings: int
    expired_bookings: int
    seats_offered: Annotated[int, Field(description="Capacity of scheduled and completed events that have one.")]
    seats_taken: int
    utilization_percent: Annotated[float | None, Field(description="Seats taken of those offered; null without any.")]
    revenue_7_days_cents: Annotated[int, Field(description="Booked today and in the six days before.")]
    revenue_30_days_cents: Annotated[int, Field(description="Booked today and in the 29 days before.")]
    revenue_total_cents: int
    unique_customers: int
    active_customers: Annotated[int, Field(description="Who booked today or in the 29 days before.")]
    waitlist_waiting: int
    waitlist_offered: int
    waitlist_accepted: int
    waitlist_total: int


def of_organization(session: Session, organization_id: UUID) -> Analytics:
    """An organization's figures. Refuses: 403 forbidden, 404 organization_not_found."""
    answer = session.value("select events.organization_analytics(organization_id => %s)", [organization_id])
    return Analytics.model_validate(answer)
