"""Test concurrent claims of one slug, of one room, and of the last organization that a person may own."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from psycopg.types.json import Jsonb

from tests.kit import routines, stages
from tests.kit.concurrency import delay_statements, run_together

PEOPLE = 8
START = datetime.now(UTC) + timedelta(days=20)


@pytest.fixture(params=["no delay", "delayed statements"])
def stage(db, request):
    """Create a stage, the second time with a delay before every statement of the routines."""
    if request.param != "no delay":
        assert delay_statements(db) > 500
    return stages.create(db, double_booking="refuse")


def no_deadlocks(db) -> bool:
    db.execute("select pg_stat_force_next_flush()")
    query = "select deadlocks from pg_stat_database where datname = current_database()"
    return db.execute(query).fetchone()["deadlocks"] == 0


def create(connection, person, slug):
    details = {"slug": slug, "name": "Studio", "country": "CH", "currency": "CHF", "time_zone": "Europe/Zurich"}
    return routines.call(
        connection, person, "select organizations.create_organization(details => %s)", [Jsonb(details)]
    )


def event(connection, stage, minutes, **places):
    details = {
        "organization_id": str(stage.organization_id),
        "title": "Class",
        "starts_at": (START + timedelta(minutes=minutes)).isoformat(),
        "ends_at": (START + timedelta(minutes=minutes + 60)).isoformat(),
        **places,
    }
    return routines.call(connection, stage.owner, "select events.create_event(details => %s)", [Jsonb(details)])


def place(stage, kind, **members):
    made = routines.call(
        stage.db, stage.owner, f"select organizations.save_{kind}(organization_id => %s, changes => %s)",
        [stage.organization_id, Jsonb({"name": kind, **members})],
    )  # fmt: skip
    return (made if isinstance(made, dict) else json.loads(made))["id"]


def room(stage):
    return place(stage, "room", location_id=place(stage, "location", city="Zurich"))


def test_one_of_many_people_gets_a_slug(db, connect, stage):
    people = [stage.stranger() for _ in range(PEOPLE)]

    results = run_together(connect, people, lambda c, person: create(c, person, "lotus"))

    assert Counter(result for result in results if isinstance(result, str)) == {"slug_taken": PEOPLE - 1}
    assert db.execute("select count(*) as n from organizations.slugs where slug = 'lotus'").fetchone()["n"] == 1
    assert no_deadlocks(db)


def test_new_slug_and_new_organization_do_not_share_a_slug(db, connect, stage):
    other = stages.create(db)
    change = "select organizations.update_organization(organization_id => %s, changes => %s)"
    acts = [
        lambda c: routines.call(c, stage.owner, change, [stage.organization_id, Jsonb({"slug": "lotus"})]),
        lambda c: routines.call(c, other.owner, change, [other.organization_id, Jsonb({"slug": "lotus"})]),
        lambda c: create(c, stage.stranger(), "lotus"),
    ]

    results = run_together(connect, acts, lambda c, act: act(c))

    assert results.count("slug_taken") == 2
    assert no_deadlocks(db)


def test_person_does_not_exceed_the_limit_with_many_requests(db, connect, stage):
    db.execute("update ops.limits set value = 2 where name = 'organizations_per_person'")
    person = stage.stranger()

    results = run_together(connect, range(PEOPLE), lambda c, number: create(c, person, f"studio-{number}"))

    assert results.count("too_many_organizations") == PEOPLE - 2
    owned = db.execute("select count(*) as n from organizations.memberships where user_id = %s", [person]).fetchone()
    assert owned["n"] == 2


def test_room_is_given_to_one_of_many_events(db, connect, stage):
    room_id = room(stage)

    results = run_together(connect, range(PEOPLE), lambda c, number: event(c, stage, number * 5, room_id=room_id))

    assert results.count("double_booked") == PEOPLE - 1
    assert db.execute("select count(*) as n from events.events").fetchone()["n"] == 1
    assert no_deadlocks(db)


def test_crossing_places_of_concurrent_events_do_not_deadlock(db, connect, stage):
    room_id, instructor_id, resource_id = room(stage), place(stage, "instructor"), place(stage, "resource")
    choices = [
        {"room_id": room_id, "instructor_id": instructor_id},
        {"instructor_id": instructor_id, "resource_ids": [resource_id]},
        {"resource_ids": [resource_id], "room_id": room_id},
    ] * 3

    results = run_together(connect, choices, lambda c, places: event(c, stage, 0, **places))

    assert results.count("double_booked") == len(choices) - 1
    assert no_deadlocks(db)


def test_events_that_swap_their_rooms_at_the_same_time_never_share_one(db, connect, stage):
    rooms = [room(stage), room(stage)]
    events = [event(db, stage, 0, room_id=rooms[0]), event(db, stage, 0, room_id=rooms[1])]
    ids = [(made if isinstance(made, dict) else json.loads(made))["id"] for made in events]
    moves = [(ids[0], rooms[1]), (ids[1], rooms[0])]

    results = run_together(
        connect, moves,
        lambda c, move: routines.call(
            c, stage.owner, "select events.update_event(event_id => %s, changes => %s)",
            [move[0], Jsonb({"room_id": move[1]})],
        ),
    )  # fmt: skip

    assert results == ["double_booked", "double_booked"]
    assert no_deadlocks(db)


def test_setting_and_event_at_the_same_time_leave_no_enforced_conflict(db, connect, stage):
    room_id = room(stage)
    db.execute("update organizations.organizations set double_booking = 'report'")
    event(db, stage, 0, room_id=room_id)
    change = "select organizations.update_organization(organization_id => %s, changes => %s)"
    acts = [
        lambda c: event(c, stage, 0, room_id=room_id),
        lambda c: routines.call(c, stage.owner, change, [stage.organization_id, Jsonb({"double_booking": "refuse"})]),
    ]

    results = run_together(connect, acts, lambda c, act: act(c))

    assert results.count("double_booked") == 1
    assert no_deadlocks(db)


def test_archive_and_bookings_at_the_same_time(db, connect, stage):
    event_id = stage.event(capacity=100)
    archive = "select organizations.set_archived(organization_id => %s, archived => true)"
    book = "select events.book(event_id => %s, idempotency_key => 'tap')"
    customers = stage.customers(PEOPLE)
    acts = [
        *[lambda c, who=who: routines.call(c, who, book, [event_id]) for who in customers],
        lambda c: routines.call(c, stage.owner, archive, [stage.organization_id]),
    ]

    results = run_together(connect, acts, lambda c, act: act(c))

    refused = sum(1 for result in results if result == "organization_archived")
    booked = db.execute("select count(*) as n from events.bookings where status = 'confirmed'").fetchone()["n"]
    assert refused + booked == PEOPLE
    assert no_deadlocks(db)
