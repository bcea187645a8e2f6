"""An instructor's events and their attendance."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from marquee.core import paging
from marquee.core.database import Session
from marquee.core.models import Answer
from marquee.insights.dashboard import EventStatus

EVENTS_MOST = 500
"""The maximum number of events on a page, which is also the default."""


class ScheduledEvent(Answer):
    """An event of the instructor."""

    event_id: UUID
    series_id: UUID | None
    title: str
    status: EventStatus
    starts_at: datetime
    ends_at: datetime
    local_start: Annotated[str, Field(description="Start in the event's time zone, as in 2031-03-03T18:00:00.")]
    local_end: str
    time_zone: str
    location_name: str | None
    capacity: Annotated[int | None, Field(description="Null: no limit.")]
    seats_taken: int
    seats_held: int
    waitlisted: int
    utilization_percent: Annotated[
        float | None, Field(description="Taken seats in percent of the capacity; null without a limit.")
    ]
    attended: Annotated[int, Field(description="Seats of the customers who came.")]


class ScheduleTotals(Answer):
    """Totals of the events that were not cancelled, over all pages."""

    events: int
    minutes: int
    seats_taken: int
    attended: int


class Schedule(Answer):
    """A page of an instructor's events from the first to the last day, both included, in the organization's zone."""

    instructor_id: UUID
    name: str
    organization_id: UUID
    time_zone: str
    first_day: Annotated[date, Field(alias="from")]
    last_day: Annotated[date, Field(alias="to")]
    events: list[ScheduledEvent]
    totals: ScheduleTotals
    next_cursor: Annotated[
        str | None, Field(description="Send it as `cursor` to get the next events. Null on the last page.")
    ] = None


def read_schedule(
    session: Session,
    instructor_id: UUID,
    first_day: date | None,
    last_day: date | None,
    limit: int,
    cursor: str | None,
) -> Schedule:
    """Return a page of an instructor's schedule, with the totals of all its events; by default the next four weeks.

    Refuses: 403 forbidden, 404 instructor_not_found, 422 invalid_request.
    """
    starts_at, event_id = paging.after(cursor, datetime, UUID) or (None, None)
    answer = session.value(
        """
        select events.instructor_schedule_v2(
            instructor_id => %s, first_day => %s, last_day => %s, after_starts_at => %s, after_id => %s, most => %s
        )
        """,
        [instructor_id, first_day, last_day, starts_at, event_id, limit + 1],
    )
    schedule = Schedule.model_validate(answer)
    page = paging.page(schedule.events, limit, lambda event: event, lambda event: (event.starts_at, event.event_id))
    return schedule.model_copy(update={"events": page.items, "next_cursor": page.next_cursor})
