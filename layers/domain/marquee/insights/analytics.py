"""The current figures of an organization."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from marquee.core.database import Session
from marquee.core.models import Answer


class Analytics(Answer):
    """An organization's current figures. Days are those of its time zone, amounts are in its currency."""

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
    seats_offered: Annotated[int, Field(description="Total capacity of scheduled and completed events with a limit.")]
    seats_taken: int
    utilization_percent: Annotated[
        float | None, Field(description="Taken seats in percent of offered ones; null if none are offered.")
    ]
    revenue_7_days_cents: Annotated[
        int, Field(description="Revenue posted today and in the previous six days, as in the statement of these days.")
    ]
    revenue_30_days_cents: Annotated[int, Field(description="Revenue posted today and in the previous 29 days.")]
    revenue_total_cents: Annotated[
        int,
        Field(
            description="Sales, passes and fees less refunds, disputes and granted credits: the organization's share."
        ),
    ]
    unique_customers: int
    active_customers: Annotated[int, Field(description="Customers who booked today or in the previous 29 days.")]
    waitlist_waiting: int
    waitlist_offered: int
    waitlist_accepted: int
    waitlist_total: int


def read_analytics(session: Session, organization_id: UUID) -> Analytics:
    """Return an organization's figures. Refuses: 403 forbidden, 404 organization_not_found."""
    answer = session.value("select events.organization_analytics(organization_id => %s)", [organization_id])
    return Analytics.model_validate(answer)
