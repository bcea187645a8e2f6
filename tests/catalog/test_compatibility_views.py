"""Views for clients of the earlier system show current rows and obey row-level security."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from tests.kit import scheduling
from tests.kit.scheduling import Database, World

VIEWS = ["class_series", "class_events", "events", "registrations", "event_waitlists", "event_search_mv"]


@pytest.fixture
def world(db: Database) -> World:
    return scheduling.world(db)


def as_caller(connection: Database, caller: UUID | None) -> None:
    claims = "{}" if caller is None else f'{{"sub": "{caller}", "role": "authenticated"}}'
    connection.execute("select ops.act_as(%s::jsonb)", [claims])


def visible_rows(connect: Callable[..., Database], caller: UUID | None) -> dict[str, int]:
    """Return the number of rows that a caller sees, by view."""
    connection = connect("marquee_public" if caller is None else "marquee_people", autocommit=False)
    as_caller(connection, caller)
    rows = {}
    for view in VIEWS:
        row = connection.execute(f"select count(*) as rows from public.{view}").fetchone()
        assert row is not None
        rows[view] = row["rows"]
    connection.rollback()
    return rows


def test_views_show_each_caller_only_the_rows_that_policies_allow(
    world: World, connect: Callable[..., Database]
) -> None:
    scheduling.make_series(world, recurrence="FREQ=WEEKLY;COUNT=2")
    scheduling.make_series(world, recurrence="FREQ=WEEKLY;COUNT=2", visibility="private")
    event = scheduling.make_event(world, capacity=1)
    scheduling.book(world, event["id"], world.customer)
    scheduling.wait(world, event["id"], world.second_customer)

    public = {"class_series": 1, "class_events": 3, "events": 3, "event_search_mv": 3}
    everything = {"class_series": 2, "class_events": 5, "events": 5, "event_search_mv": 3}
    assert visible_rows(connect, None) == {**public, "registrations": 0, "event_waitlists": 0}
    assert visible_rows(connect, world.customer) == {**public, "registrations": 1, "event_waitlists": 0}
    assert visible_rows(connect, world.second_customer) == {**public, "registrations": 0, "event_waitlists": 1}
    assert visible_rows(connect, world.stranger) == {**public, "registrations": 0, "event_waitlists": 0}
    assert visible_rows(connect, world.owner) == {**everything, "registrations": 1, "event_waitlists": 1}


def test_event_is_one_row_however_many_bookings_it_has(world: World) -> None:
    """A join must not multiply the sums."""
    event = scheduling.make_event(world, capacity=3)
    scheduling.book(world, event["id"], world.customer)
    scheduling.book(world, event["id"], world.owner)
    scheduling.book(world, event["id"], world.editor)
    for waiting in (world.second_customer, world.viewer):
        scheduling.wait(world, event["id"], waiting)

    for view in ("class_events", "event_search_mv"):
        rows = world.db.execute(f"select capacity, reg_count from public.{view}").fetchall()
        assert rows == [{"capacity": 3, "reg_count": 3}]
    row = world.db.execute("select waitlist_count, start_at from public.class_events").fetchone()
    assert row == {"waitlist_count": 2, "start_at": datetime.fromisoformat(event["starts_at"])}


def test_views_are_read_only(world: World, connect: Callable[..., Database]) -> None:
    scheduling.make_event(world)
    for view in VIEWS:
        connection = connect("marquee_people", autocommit=False)
        as_caller(connection, world.owner)
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectNotInPrerequisiteState)):
            connection.execute(f"delete from public.{view}")
        connection.rollback()


def test_create_event_works_under_its_earlier_name(world: World, connect: Callable[..., Database]) -> None:
    starts_at = datetime.now(UTC) + timedelta(days=2)
    connection = connect("marquee_people", autocommit=False)
    claims = f'{{"sub": "{world.owner}", "role": "authenticated", "org_id": "{world.organization_id}"}}'
    connection.execute("select ops.act_as(%s::jsonb)", [claims])
    row = connection.execute(
        "select public.create_event(title => 'Talk', starts_at => %s, ends_at => %s, capacity => 7) as id",
        [starts_at, starts_at + timedelta(hours=1)],
    ).fetchone()
    connection.commit()

    assert row is not None
    made = world.db.execute("select id, title, organization_id, capacity from public.class_events").fetchone()
    assert made == {"id": row["id"], "title": "Talk", "organization_id": world.organization_id, "capacity": 7}

    as_caller(connection, world.stranger)
    with pytest.raises(psycopg.errors.DatabaseError, match="forbidden"):
        connection.execute(
            "select public.create_event('Talk', %s, %s, organization_id => %s)",
            [starts_at, starts_at + timedelta(hours=1), world.organization_id],
        )
