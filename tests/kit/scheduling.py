"""Create an organization with people and places, for tests of series, events and the catalog.

world = scheduling.world(db)
series = scheduling.make_series(world, recurrence="FREQ=WEEKLY")
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from tests.kit import gateway, stages

Database = psycopg.Connection[DictRow]


@dataclass(frozen=True, slots=True)
class World:
    """The ids of an organization's people and places. `stranger` owns another organization."""

    db: Database
    organization_id: UUID
    other_organization_id: UUID
    location_id: UUID
    instructor_id: UUID
    policy_id: UUID
    owner: UUID
    editor: UUID
    viewer: UUID
    front_desk: UUID
    stranger: UUID
    customer: UUID
    second_customer: UUID


def world(db: Database, time_zone: str = "Europe/Zurich", city: str = "Zurich") -> World:
    """Create an organization with members of several roles, a location, an instructor and a policy."""
    ids = {name: uuid4() for name in World.__dataclass_fields__ if name != "db"}
    made = World(db=db, **ids)
    people = ["owner", "editor", "viewer", "front_desk", "stranger", "customer", "second_customer"]
    with db.cursor() as cursor:
        cursor.executemany(
            "insert into users.profiles (id, email, email_verified_at, name) values (%s, %s, now(), %s)",
            [(ids[name], f"{name}-{ids[name].hex[:8]}@example.org", name) for name in people],
        )
        stages.organization(db, id=made.organization_id, time_zone=time_zone)
        stages.organization(db, id=made.other_organization_id, name="Other")
        cursor.executemany(
            "insert into organizations.memberships (organization_id, user_id, role) values (%s, %s, %s)",
            [(made.organization_id, ids[role], role) for role in ("owner", "editor", "viewer", "front_desk")]
            + [(made.other_organization_id, made.stranger, "owner")],
        )
        cursor.execute(
            """
            insert into organizations.locations (id, organization_id, name, address, city, country, time_zone)
            values (%s, %s, 'Lake room', 'Seestrasse 1', %s, 'CH', %s)
            """,
            [made.location_id, made.organization_id, city, time_zone],
        )
        cursor.execute(
            "insert into organizations.instructors (id, organization_id, name) values (%s, %s, 'Felix')",
            [made.instructor_id, made.organization_id],
        )
        cursor.execute(
            """
            insert into organizations.policies (
                id, organization_id, name, opens_days_before, closes_minutes_before, cancel_hours_before, late_fee_cents
            )
            values (%s, %s, 'Strict', 60, 15, 48, 1000)
            """,
            [made.policy_id, made.organization_id],
        )
    return made


def details(a_world: World, **changes: Any) -> dict[str, Any]:
    """Return the request body of a weekly series from tomorrow at 09:00 with 12 seats."""
    return {
        "organization_id": str(a_world.organization_id),
        "title": "Morning yoga",
        "recurrence": "RRULE:FREQ=WEEKLY",
        "local_start_time": "09:00",
        "start_date": str(day(1)),
        "duration_minutes": 60,
        "capacity": 12,
        **changes,
    }


def make_series(a_world: World, **changes: Any) -> dict[str, Any]:
    """Create a series through the handler and return the response."""
    answer = gateway.post("manage-events", "/series", details(a_world, **changes), caller=a_world.owner)
    assert answer.status == 201, answer.text
    made: dict[str, Any] = answer.body
    return made


def make_event(a_world: World, **changes: Any) -> dict[str, Any]:
    """Create a single event in three days with 12 seats through the handler, and return the response."""
    starts_at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
    body = {
        "organization_id": str(a_world.organization_id),
        "title": "Open evening",
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(hours=2)).isoformat(),
        "capacity": 12,
        **changes,
    }
    answer = gateway.post("manage-events", "/events", body, caller=a_world.owner)
    assert answer.status == 201, answer.text
    made: dict[str, Any] = answer.body
    return made


def events_of(a_world: World, series_id: str | UUID) -> list[DictRow]:
    """Return the events of a series in order, with their seats and local starts."""
    return a_world.db.execute(
        """
        select
            e.id, e.title, e.starts_at, e.ends_at, e.status::text, e.detached, e.price_cents, e.policy,
            e.starts_at at time zone e.time_zone as local_start, i.capacity::integer, i.taken::integer, i.held::integer,
            i.waitlisted::integer, o.local_start as by_the_rule
        from events.events as e
        inner join events.inventory as i on i.event_id = e.id
        left join events.occurrences as o on o.event_id = e.id
        where e.series_id = %s
        order by e.starts_at, e.id
        """,
        [series_id],
    ).fetchall()


def book(a_world: World, event_id: str | UUID, customer_id: UUID, seats: int = 1) -> UUID:
    """Book as the customer with the booking routine, and return the booking's id."""
    with a_world.db.transaction():
        claims = {"sub": str(customer_id), "role": "authenticated"}
        a_world.db.execute("select set_config('request.jwt.claims', %s::jsonb::text, true)", [Jsonb(claims)])
        row = a_world.db.execute(
            "select events.book(event_id => %s, seats => %s)::jsonb ->> 'id' as id", [event_id, seats]
        )
        found = row.fetchone()
    assert found is not None
    return UUID(found["id"])


def wait(a_world: World, event_id: str | UUID, customer_id: UUID, seats: int = 1) -> None:
    """Join an event's waitlist as the customer."""
    with a_world.db.transaction():
        claims = {"sub": str(customer_id), "role": "authenticated"}
        a_world.db.execute("select set_config('request.jwt.claims', %s::jsonb::text, true)", [Jsonb(claims)])
        a_world.db.execute("select events.join_waitlist(event_id => %s, seats => %s)", [event_id, seats])


def topics(a_world: World) -> list[tuple[str, UUID | None]]:
    """Return topic and customer of each new outbox message, and delete the messages."""
    rows = a_world.db.execute(
        "with taken as (delete from public.outbox returning *)"
        " select t.topic, (t.payload ->> 'customer_id')::uuid as customer_id from taken as t order by t.id"
    ).fetchall()
    return [(row["topic"], row["customer_id"]) for row in rows]


def day(number: int) -> date:
    """Return the date `number` days after today in UTC. Two days or more are in the future in every time zone."""
    return datetime.now(UTC).date() + timedelta(days=number)
