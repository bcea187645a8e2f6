"""Series: create, read, edit in three scopes, pause and archive."""

import json
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from marquee.core import paging
from marquee.core.database import Session
from marquee.core.errors import Refused
from marquee.core.models import Answer, Day, Id, Request
from marquee.core.text_types import Text
from marquee.scheduling import fields, generation, recurrence
from marquee.scheduling.consent import Cancelled, Consent
from marquee.scheduling.fields import Changes, absent
from marquee.scheduling.recurrence import Schedule

Status = Literal["active", "paused", "archived"]

EXAMPLE: dict[str, Any] = {
    "organization_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a",
    "title": "Morning yoga",
    "category": "yoga",
    "time_zone": "Europe/Zurich",
    "recurrence": "RRULE:FREQ=WEEKLY;BYDAY=MO,WE",
    "local_start_time": "09:00",
    "start_date": "2030-01-07",
    "duration_minutes": 60,
    "capacity": 12,
    "price_cents": 2500,
}


class SeriesRequest(Request):
    """A series to create. Language, time zone and currency default to those of the organization."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    organization_id: Id
    title: fields.Title
    description: fields.Description | None = None
    category: fields.Category | None = None
    language: fields.Language | None = None
    time_zone: fields.TimeZone | None = None
    recurrence: fields.Recurrence
    local_start_time: fields.LocalTime
    start_date: Day
    end_date: Annotated[Day | None, Field(description="The last local date. Null: no end.")] = None
    duration_minutes: fields.DurationMinutes
    capacity: Annotated[fields.Capacity | None, Field(description="Number of seats. Null: no limit.")] = None
    price_cents: fields.PriceCents = 0
    currency: fields.Currency | None = None
    location_id: Id | None = None
    room_id: Annotated[Id | None, Field(description="A room; it determines the location.")] = None
    instructor_id: Id | None = None
    resource_ids: fields.ResourceIds | None = None
    policy_id: Id | None = None
    visibility: fields.Visibility = "public"


class SeriesChanges(Changes):
    """Changes of a series; omitted members stay the same."""

    title: fields.Title = absent()
    description: fields.Description | None = None
    category: fields.Category | None = None
    language: fields.Language = absent()
    time_zone: fields.TimeZone = absent()
    recurrence: fields.Recurrence = absent()
    local_start_time: fields.LocalTime = absent()
    start_date: Day = absent()
    end_date: Day | None = None
    duration_minutes: fields.DurationMinutes = absent()
    capacity: fields.Capacity | None = None
    price_cents: fields.PriceCents = absent()
    location_id: Id | None = None
    room_id: Annotated[Id | None, Field(description="A room; it determines the location.")] = None
    instructor_id: Id | None = None
    resource_ids: fields.ResourceIds | None = None
    policy_id: Id | None = None
    visibility: fields.Visibility = absent()


class SeriesEdit(SeriesChanges):
    """An edit of one event of a series, of this and the following events, or of all future events."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"scope": "all", "capacity": 14}, {"scope": "all", "local_start_time": "18:30"}]
        }
    )

    scope: Annotated[
        Literal["this", "following", "all"],
        Field(
            description="this: only the event `event_id`, which is then detached. following: the events from"
            " `event_id` or `from_date` on, as a new series. all: every future event."
        ),
    ]
    event_id: Annotated[Id | None, Field(description="For the scopes this and following.")] = None
    from_date: Annotated[Day | None, Field(description="For the scope following: a local date.")] = None
    confirm: Consent = False

    @model_validator(mode="after")
    def _fits_its_scope(self) -> Self:
        if self.scope == "this" and self.event_id is None:
            raise ValueError("scope this requires event_id")
        if self.scope == "following" and (self.event_id is None) == (self.from_date is None):
            raise ValueError("scope following requires either event_id or from_date")
        if self.from_date is not None and self.scope != "following":
            raise ValueError(f"scope {self.scope} does not allow from_date")
        if self.event_id is not None and self.scope == "all":
            raise ValueError("scope all does not allow event_id")
        return self

    def sent(self) -> dict[str, Any]:
        """Return the changes, as JSON values."""
        return {name: value for name, value in super().sent().items() if name not in _NOT_CHANGES}


_NOT_CHANGES = frozenset({"scope", "event_id", "from_date"})


class StatusRequest(Request):
    """The reason for pausing, resuming or archiving a series."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "The studio is being renovated."}]})

    reason: Annotated[Text, Field(max_length=500)] | None = None


class Series(Answer):
    """A series, as the organization's members see it."""

    id: UUID
    organization_id: UUID
    title: str
    description: str | None
    category: str | None
    language: str
    time_zone: str
    recurrence: str
    local_start_time: fields.LocalTime
    start_date: date
    end_date: date | None
    duration_minutes: int
    capacity: int | None
    price_cents: int
    currency: str
    location_id: UUID | None
    room_id: UUID | None = None
    instructor_id: UUID | None
    resource_ids: list[UUID] = Field(default_factory=list)
    policy_id: UUID | None
    visibility: fields.Visibility
    status: Status
    status_reason: str | None
    generated_until: Annotated[date | None, Field(description="Its events exist up to this local date.")]
    continues_series_id: Annotated[UUID | None, Field(description="The series from which it was split.")]
    anchor_date: Annotated[
        date | None, Field(description="Intervals are counted from its day, week, month or year. Null: `start_date`.")
    ]
    created_at: datetime
    updated_at: datetime


class EditedSeries(Series):
    """A series after an edit."""

    cancelled: Cancelled = Cancelled()


class GeneratedEvents(Answer):
    """The result of generating a series."""

    series_id: UUID
    events_made: int
    generated_until: date | None


def create(session: Session, request: SeriesRequest, idempotency_key: str | None, now: datetime) -> Series:
    """Create a series and its events up to the horizon.

    Refuses: 403 forbidden, 404 organization_not_found, 422 idempotency_conflict, 422 invalid_request.
    """
    time_zone = request.time_zone or _time_zone_of(session, request.organization_id)
    schedule = recurrence.checked(
        Schedule(request.recurrence, time_zone, request.start_date, request.end_date, request.local_start_time)
    )
    recurrence.check_near(schedule.start_date, now.date(), "start_date")
    details = {**request.model_dump(mode="json"), "recurrence": schedule.recurrence, "time_zone": time_zone}
    [row] = session.all(
        "select s.* from events.create_series(details => %s::jsonb, idempotency_key => %s) as s",
        [json.dumps(details), idempotency_key],
    )
    generation.extend(session, row, now)
    answer = session.value(
        "select events.series_answer(series_id => %s, idempotency_key => %s)", [row["id"], idempotency_key]
    )
    return Series.model_validate(answer)


def get(session: Session, series_id: UUID) -> Series:
    """Return a series of an organization where the caller is a member. Refuses: 404 series_not_found."""
    row = session.one("select s.* from events.own_series as s where s.id = %s", [series_id])
    if row is None:
        raise Refused(404, "series_not_found")
    return Series.model_validate(row)


def list_own(
    session: Session, organization_id: UUID | None, status: Status | None, limit: int, cursor: str | None
) -> paging.Page[Series]:
    """List the series of the caller's organizations, of one of them, or with one status, oldest first."""
    after = paging.after(cursor, UUID)
    rows = session.all(
        """
        select s.*
        from events.own_series as s
        where
            (%(organization_id)s::uuid is null or s.organization_id = %(organization_id)s::uuid)
            and (%(status)s::text is null or s.status = %(status)s::events.series_status)
            and (%(after)s::uuid is null or s.id > %(after)s::uuid)
        order by s.id
        limit %(most)s
        """,
        {
            "organization_id": organization_id,
            "status": status,
            "after": after[0] if after else None,
            "most": limit + 1,
        },
    )
    return paging.page(rows, limit, Series.model_validate, lambda row: (row["id"],))


def set_status(session: Session, series_id: UUID, status: Status, reason: str | None, now: datetime) -> Series:
    """Pause, resume or archive a series; a resumed one gets its missing events.

    Refuses: 403 forbidden, 404 series_not_found, 409 invalid_transition.
    """
    [row] = session.all(
        "select s.* from events.set_series_status(series_id => %s, status => %s, reason => %s) as s",
        [series_id, status, reason],
    )
    if status == "active":
        generation.extend(session, row, now)
        return get(session, series_id)
    return Series.model_validate(row)


def generate(session: Session, series_id: UUID, now: datetime) -> GeneratedEvents:
    """Create the missing events of a series up to the horizon; none unless it is active.

    Refuses: 403 forbidden, 404 series_not_found, 409 series_archived.
    """
    [row] = session.all("select s.* from events.lock_series_for_edit(series_id => %s) as s", [series_id])
    made = generation.extend(session, row, now)
    series = get(session, series_id)
    return GeneratedEvents(series_id=series.id, events_made=made, generated_until=series.generated_until)


def _time_zone_of(session: Session, organization_id: UUID) -> str:
    name = session.value("select o.time_zone from organizations.organizations as o where o.id = %s", [organization_id])
    if name is None:
        raise Refused(404, "organization_not_found")
    return str(name)
