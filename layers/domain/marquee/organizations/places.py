"""Locations, rooms, instructors and resources of an organization, and their double bookings."""

import json
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field, Strict

from marquee.core.database import Session
from marquee.core.models import Answer, Flag, Id, Whole
from marquee.core.text_types import Line, Name, Text
from marquee.organizations import fields
from marquee.organizations.fields import Changes, LongText, absent

Archived = Annotated[Flag, Field(description="An archived object cannot be chosen for events any more.")]
Capacity = Annotated[Whole, Field(ge=1, le=1_000_000)]
Address = Annotated[Text, Field(max_length=500)]
City = Annotated[Line, Field(min_length=1, max_length=100)]
Latitude = Annotated[float, Strict(), Field(ge=-90, le=90)]
Longitude = Annotated[float, Strict(), Field(ge=-180, le=180)]

DOUBLE_BOOKINGS_MAX = 100


class LocationRequest(Changes):
    """A new location. Country and time zone default to those of the organization."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Main studio", "city": "Zurich"}]})

    name: fields.Title
    address: Address | None = None
    city: City
    country: fields.Country = absent()
    time_zone: fields.TimeZone = absent()
    capacity: Capacity | None = None
    latitude: Annotated[Latitude | None, Field(description="Degrees north, with `longitude` or not at all.")] = None
    longitude: Longitude | None = None
    accessibility: LongText | None = None
    directions: LongText | None = None


class LocationEdit(Changes):
    """Changes of a location; omitted members stay the same."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"directions": "Second floor, beside the lift."}]})

    name: fields.Title = absent()
    address: Address | None = None
    city: City = absent()
    country: fields.Country = absent()
    time_zone: fields.TimeZone = absent()
    capacity: Capacity | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    accessibility: LongText | None = None
    directions: LongText | None = None
    archived: Archived = absent()


class RoomRequest(Changes):
    """A new room of a location."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"location_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a", "name": "Room 1"}]}
    )

    location_id: Id
    name: fields.Title
    capacity: Capacity | None = None
    accessibility: LongText | None = None


class RoomEdit(Changes):
    """Changes of a room; omitted members stay the same."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"capacity": 20}]})

    name: fields.Title = absent()
    capacity: Capacity | None = None
    accessibility: LongText | None = None
    archived: Archived = absent()


class InstructorRequest(Changes):
    """A new instructor, as the public sees them. A member who signs in can be linked."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Ana"}]})

    name: Name
    bio: LongText | None = None
    user_id: Annotated[Id | None, Field(description="The profile of a member of the organization.")] = None


class InstructorEdit(Changes):
    """Changes of an instructor; omitted members stay the same."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"bio": "Teaches yoga."}]})

    name: Name = absent()
    bio: LongText | None = None
    user_id: Id | None = None
    archived: Archived = absent()


class ResourceRequest(Changes):
    """A new resource, which one event can use at a time."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Projector"}]})

    name: fields.Title
    description: LongText | None = None


class ResourceEdit(Changes):
    """Changes of a resource; omitted members stay the same."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"archived": True}]})

    name: fields.Title = absent()
    description: LongText | None = None
    archived: Archived = absent()


class _Place(Answer):
    id: UUID
    organization_id: UUID
    name: str
    archived_at: datetime | None
    created_at: datetime


class ManagedLocation(_Place):
    """A location, as the organization's members see it."""

    address: str | None
    city: str
    country: str
    time_zone: str
    capacity: int | None
    latitude: float | None
    longitude: float | None
    accessibility: str | None
    directions: str | None


class ManagedRoom(_Place):
    """A room of a location."""

    location_id: UUID
    capacity: int | None
    accessibility: str | None


class Instructor(_Place):
    """An instructor."""

    user_id: UUID | None
    bio: str | None


class Resource(_Place):
    """A resource, which one event can use at a time."""

    description: str | None


class Places(Answer):
    """All locations, rooms, instructors and resources of an organization by name, archived ones included."""

    locations: list[ManagedLocation]
    rooms: list[ManagedRoom]
    instructors: list[Instructor]
    resources: list[Resource]


class DoubleBooking(Answer):
    """Two upcoming events that use one room, instructor or resource from `starts_at` to `ends_at`."""

    event_id: UUID
    other_event_id: UUID
    room_id: UUID | None
    instructor_id: UUID | None
    resource_id: UUID | None
    starts_at: datetime
    ends_at: datetime


class DoubleBookings(Answer):
    """The next double bookings, at most 100."""

    items: list[DoubleBooking]


def save_location(
    session: Session, organization_id: UUID, request: LocationRequest | LocationEdit, location_id: UUID | None = None
) -> ManagedLocation:
    """Create a location, or change one.

    Refuses: 403 forbidden, 404 organization_not_found, location_not_found, 409 too_many_places, 422 invalid_request.
    """
    query = "select organizations.save_location(organization_id => %s, changes => %s::jsonb, location_id => %s)"
    return ManagedLocation.model_validate(_save(session, query, organization_id, request, location_id))


def save_room(
    session: Session, organization_id: UUID, request: RoomRequest | RoomEdit, room_id: UUID | None = None
) -> ManagedRoom:
    """Create a room, or change one. Refuses as save_location does; 404 room_not_found."""
    query = "select organizations.save_room(organization_id => %s, changes => %s::jsonb, room_id => %s)"
    return ManagedRoom.model_validate(_save(session, query, organization_id, request, room_id))


def save_instructor(
    session: Session,
    organization_id: UUID,
    request: InstructorRequest | InstructorEdit,
    instructor_id: UUID | None = None,
) -> Instructor:
    """Create an instructor, or change one. Refuses as save_location does; 404 instructor_not_found."""
    query = "select organizations.save_instructor(organization_id => %s, changes => %s::jsonb, instructor_id => %s)"
    return Instructor.model_validate(_save(session, query, organization_id, request, instructor_id))


def save_resource(
    session: Session, organization_id: UUID, request: ResourceRequest | ResourceEdit, resource_id: UUID | None = None
) -> Resource:
    """Create a resource, or change one. Refuses as save_location does; 404 resource_not_found."""
    query = "select organizations.save_resource(organization_id => %s, changes => %s::jsonb, resource_id => %s)"
    return Resource.model_validate(_save(session, query, organization_id, request, resource_id))


def list_places(session: Session, organization_id: UUID) -> Places:
    """Return all places of an organization, for its members. Refuses: 403 forbidden, 404 organization_not_found."""
    answer = session.value("select organizations.list_places(organization_id => %s)", [organization_id])
    return Places.model_validate(answer)


def double_bookings(session: Session, organization_id: UUID) -> DoubleBookings:
    """List the next double bookings. Refuses: 403 forbidden, 404 organization_not_found."""
    rows = session.all(
        "select d.* from events.double_bookings(organization_id => %s, most => %s) as d",
        [organization_id, DOUBLE_BOOKINGS_MAX],
    )
    return DoubleBookings(items=[DoubleBooking.model_validate(row) for row in rows])


def _save(session: Session, query: str, organization_id: UUID, request: Changes, place_id: UUID | None) -> Any:
    return session.value(query, [organization_id, json.dumps(request.sent()), place_id])
