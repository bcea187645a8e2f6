"""Organizations and their locations in public: no data about their people."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from marquee.core import paging
from marquee.core.database import Session
from marquee.core.errors import Refused
from marquee.core.models import Answer

LOCATIONS_MAX = 500


class OrganizationListing(Answer):
    """An organization in a list."""

    id: UUID
    slug: str
    name: str
    country: str
    currency: str
    time_zone: str
    language: str


class Organization(OrganizationListing):
    """An organization with its branding."""

    branding: Annotated[dict[str, Any], Field(description="Colours, logo and other settings of its pages.")]
    archived_at: Annotated[
        datetime | None, Field(description="An archived organization takes no bookings. Null: it is open.")
    ] = None


class Room(Answer):
    """A room of a location."""

    id: UUID
    name: str
    capacity: int | None
    accessibility: str | None


class Location(Answer):
    """A location of an organization's events."""

    id: UUID
    organization_id: UUID
    name: str
    address: str | None
    city: str
    country: str
    time_zone: str
    capacity: int | None = None
    latitude: float | None = None
    longitude: float | None = None
    accessibility: str | None = None
    directions: str | None = None
    rooms: list[Room] = Field(default_factory=list)


class Locations(Answer):
    """An organization's locations by name, with their rooms."""

    items: list[Location]


def organizations(session: Session, limit: int, cursor: str | None) -> paging.Page[OrganizationListing]:
    """List all organizations, by slug."""
    after = paging.after(cursor, str)
    rows = session.all(
        """
        select o.id, o.slug, o.name, o.country, o.currency, o.time_zone, o.language
        from organizations.organizations as o
        where %(after)s::text is null or o.slug > %(after)s::text
        order by o.slug
        limit %(most)s
        """,
        {"after": after[0] if after else None, "most": limit + 1},
    )
    return paging.page(rows, limit, OrganizationListing.model_validate, lambda row: (row["slug"],))


def organization(session: Session, id_or_slug: str) -> Organization:
    """Return one organization by its id, its slug, or a former slug. Refuses: 404 organization_not_found."""
    row = session.one(
        """
        select o.id, o.slug, o.name, o.country, o.currency, o.time_zone, o.language, o.branding, o.archived_at
        from organizations.organizations as o
        where
            o.id::text = %(name)s
            or o.id = (select s.organization_id from organizations.slugs as s where s.slug = %(name)s)
        """,
        {"name": id_or_slug.lower()},
    )
    if row is None:
        raise Refused(404, "organization_not_found")
    return Organization.model_validate(row)


def locations(session: Session, organization_id: UUID) -> Locations:
    """List an organization's locations by name, at most 500. Refuses: 404 organization_not_found."""
    rows = session.all(
        """
        select
            l.id, o.id as organization_id, l.name, l.address, l.city, l.country, l.time_zone, l.capacity, l.latitude,
            l.longitude, l.accessibility, l.directions,
            (
                select coalesce(jsonb_agg(to_jsonb(r) order by r.name, r.id), '[]')
                from organizations.rooms as r
                where r.organization_id = o.id and r.location_id = l.id and r.archived_at is null
            ) as rooms
        from organizations.organizations as o
        left join organizations.locations as l on l.organization_id = o.id and l.archived_at is null
        where o.id = %s
        order by l.name, l.id
        limit %s
        """,
        [organization_id, LOCATIONS_MAX],
    )
    if not rows:
        raise Refused(404, "organization_not_found")
    return Locations(items=[Location.model_validate(row) for row in rows if row["id"] is not None])
