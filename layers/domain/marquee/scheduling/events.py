"""Single events, as organizers create, edit and cancel them."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from marquee.core.database import Session
from marquee.core.models import Answer, Day, Id, Moment, Request
from marquee.core.text_types import Text
from marquee.scheduling import consent, fields, rules
from marquee.scheduling.consent import Cancelled, Consent
from marquee.scheduling.fields import Changes, absent

EXAMPLE: dict[str, Any] = {
    "organization_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a",
    "title": "Open evening",
    "starts_at": "2030-01-11T18:00:00Z",
    "ends_at": "2030-01-11T20:00:00Z",
    "time_zone": "Europe/Zurich",
    "capacity": 30,
}


class EventRequest(Request):
    """An event outside any series. Language, time zone and currency default to those of the organization."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    organization_id: Id
    title: fields.Title
    description: fields.Description | None = None
    category: fields.Category | None = None
    language: fields.Language | None = None
    time_zone: fields.TimeZone | None = None
    starts_at: Moment
    ends_at: Moment
    capacity: Annotated[fields.Capacity | None, Field(description="Number of seats. Null: no limit.")] = None
    price_cents: fields.PriceCents = 0
    currency: fields.Currency | None = None
    location_id: Id | None = None
    room_id: Annotated[Id | None, Field(description="A room; it determines the location.")] = None
    instructor_id: Id | None = None
    resource_ids: fields.ResourceIds | None = None
    policy_id: Id | None = None
    visibility: fields.Visibility = "public"
    status: Annotated[
        Literal["draft", "scheduled"], Field(description="A draft is visible only to members, and cannot be booked.")
    ] = "scheduled"


class EventEdit(Changes):
    """Changes of an event; omitted members stay the same. An event of a series is detached from it by an edit."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"capacity": 16}, {"status": "scheduled"}]})

    title: fields.Title = absent()
    description: fields.Description | None = None
    category: fields.Category | None = None
    language: fields.Language = absent()
    time_zone: fields.TimeZone = absent()
    starts_at: Moment = absent()
    ends_at: Moment = absent()
    capacity: fields.Capacity | None = None
    price_cents: fields.PriceCents = absent()
    location_id: Id | None = None
    room_id: Annotated[Id | None, Field(description="A room; it determines the location.")] = None
    instructor_id: Id | None = None
    resource_ids: fields.ResourceIds | None = None
    policy_id: Id | None = None
    visibility: fields.Visibility = absent()
    status: Annotated[Literal["scheduled"], Field(description="Publish a draft.")] = absent()
    confirm: Consent = False


class CopyChanges(Changes):
    """Members in which a copy differs from its original."""

    title: fields.Title = absent()
    description: fields.Description | None = None
    category: fields.Category | None = None
    language: fields.Language = absent()
    duration_minutes: fields.DurationMinutes = absent()
    capacity: fields.Capacity | None = None
    price_cents: fields.PriceCents = absent()
    location_id: Id | None = None
    room_id: Annotated[Id | None, Field(description="A room; it determines the location.")] = None
    instructor_id: Id | None = None
    resource_ids: fields.ResourceIds | None = None
    policy_id: Id | None = None
    visibility: fields.Visibility = absent()


class EventCopy(Request):
    """A copy of an event at another time, without its bookings."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"starts_at": "2030-02-08T18:00:00Z", "changes": {"capacity": 20}}]}
    )

    starts_at: Moment | None = None
    date: Annotated[Day | None, Field(description="Instead of `starts_at`: the same local time on this date.")] = None
    status: Annotated[Literal["draft", "scheduled"], Field(description="Publish the copy with `scheduled`.")] = "draft"
    changes: CopyChanges | None = None

    @model_validator(mode="after")
    def _has_one_time(self) -> Self:
        if (self.starts_at is None) == (self.date is None):
            raise ValueError("send either starts_at or date")
        return self


class EventCancellation(Request):
    """The reason for cancelling an event, which its customers receive."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "The instructor is ill."}]})

    reason: Annotated[Text, Field(max_length=500)] | None = None


class Substitution(Request):
    """Another instructor for one event, with a note for staff."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"instructor_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a", "note": "Back next week."}]
        }
    )

    instructor_id: Id
    note: Annotated[Text, Field(max_length=500, description="For staff alone.")] | None = None


class PolicySnapshot(Answer):
    """The booking rules of an event, as they were when it was created or last edited."""

    opens_days_before: int | None
    closes_minutes_before: int
    cancel_hours_before: int
    late_refund_percent: Annotated[
        int, Field(description="The share of the price that a late cancellation refunds, in percent.")
    ] = 100
    late_fee_cents: Annotated[int, Field(description="The least cost of a late cancellation, also of a free booking.")]
    late_credit_lost: bool
    no_show_fee_cents: int
    refund_to: Literal["original", "wallet"]
    seats_max_per_person: Annotated[
        int | None,
        Field(description="Maximum seats of one customer, with guests and holds. Null: the platform's maximum."),
    ] = 20
    no_show_after_minutes: Annotated[
        int | None, Field(description="Unmarked bookings become no-shows this long after the end. Null: never.")
    ] = None
    blocked_after_no_shows: Annotated[
        int | None, Field(description="A customer with so many no-shows cannot book online. Null: no limit.")
    ] = None
    no_shows_within_days: int = 90


class ManagedEvent(Answer):
    """An event with its seats, as the organization's staff see it."""

    id: UUID
    organization_id: UUID
    series_id: UUID | None
    title: str
    description: str | None
    category: str | None
    language: str
    time_zone: str
    starts_at: datetime
    ends_at: datetime
    price_cents: int
    currency: str
    location_id: UUID | None
    room_id: UUID | None = None
    instructor_id: UUID | None
    resource_ids: list[UUID] = Field(default_factory=list)
    policy: PolicySnapshot
    visibility: fields.Visibility
    status: Literal["draft", "scheduled", "cancelled", "completed"]
    status_reason: str | None
    detached: Annotated[bool, Field(description="Whether it was edited alone. Edits of its series do not change it.")]
    capacity: int | None
    taken: int
    held: int
    waitlisted: int
    created_at: datetime
    updated_at: datetime


class EditedEvent(ManagedEvent):
    """An event after an edit."""

    cancelled: Cancelled = Cancelled()


def create(session: Session, request: EventRequest, idempotency_key: str | None) -> ManagedEvent:
    """Create an event outside any series.

    Refuses: 403 forbidden, 404 organization_not_found, 409 double_booked, organization_archived, too_many_events,
    422 idempotency_conflict, 422 invalid_request.
    """
    if request.time_zone is not None:
        rules.zone(request.time_zone)
    answer = session.value(
        "select events.create_event(details => %s::jsonb, idempotency_key => %s)",
        [request.model_dump_json(), idempotency_key],
    )
    return ManagedEvent.model_validate(answer)


def edit(session: Session, event_id: UUID, request: EventEdit) -> EditedEvent:
    """Edit one event.

    Refuses: 403 forbidden, 404 event_not_found, 409 capacity_below_sold, double_booked, event_begun,
    event_not_editable, invalid_transition and would_cancel, 422 invalid_request.
    """
    if "time_zone" in request.model_fields_set:
        rules.zone(request.time_zone)
    return change(session, event_id, request.sent(), confirm=request.confirm)


def change(session: Session, event_id: UUID, changes: Mapping[str, Any], *, confirm: Consent = False) -> EditedEvent:
    """Set these columns of an event; refuses as `edit` does."""
    answer = session.value(
        "select events.update_event(event_id => %s, changes => %s::jsonb, confirmed => %s::jsonb)",
        [event_id, json.dumps(changes), consent.as_json(confirm)],
    )
    return EditedEvent.model_validate(answer)


def cancel(session: Session, event_id: UUID, reason: str | None) -> ManagedEvent:
    """Cancel an event with all its bookings, free of charge for the customers. Cancelling again returns the same.

    Refuses: 403 forbidden, 404 event_not_found, 409 event_over.
    """
    answer = session.value("select events.cancel_event(event_id => %s, reason => %s)", [event_id, reason])
    return ManagedEvent.model_validate(answer)


def substitute(session: Session, event_id: UUID, request: Substitution) -> ManagedEvent:
    """Let another instructor lead an event. Naming the present one again changes nothing but the note.

    Refuses: 403 forbidden, 404 event_not_found, 409 double_booked, event_begun and event_not_editable,
    422 invalid_request.
    """
    answer = session.value(
        "select events.substitute_instructor(event_id => %s, instructor_id => %s, note => %s)",
        [event_id, request.instructor_id, request.note],
    )
    return ManagedEvent.model_validate(answer)


def copy(session: Session, event_id: UUID, request: EventCopy, idempotency_key: str | None) -> ManagedEvent:
    """Create an event with the details of another one, without its bookings.

    Refuses: 403 forbidden, 404 event_not_found, 409 double_booked, organization_archived and too_many_events,
    422 idempotency_conflict, 422 invalid_request.
    """
    details = {**request.model_dump(mode="json"), "changes": request.changes.sent() if request.changes else {}}
    answer = session.value(
        "select events.copy_event(event_id => %s, details => %s::jsonb, idempotency_key => %s)",
        [event_id, json.dumps(details), idempotency_key],
    )
    return ManagedEvent.model_validate(answer)
