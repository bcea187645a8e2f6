"""Edits notify the people whom events.field_notices names: a decision for each field, in one place."""

from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from psycopg.types.json import Jsonb

from marquee.scheduling.events import EventEdit
from marquee.scheduling.series import SeriesChanges
from tests.kit import gateway, routines, scheduling

FIELDS = EventEdit.model_fields.keys() - {"confirm"}
"""The fields of an event that an edit can set; `confirm` is the consent to it."""

PAGE = Path(__file__).resolve().parents[2] / "docs/parts/messages.md"


@pytest.fixture
def world(db):
    return scheduling.world(db)


def decisions(db):
    """Return the decision for each field: (customers, instructors)."""
    rows = db.execute("select n.* from events.field_notices() as n").fetchall()
    return {row["field"]: (row["customers"], row["instructors"]) for row in rows}


def instructor(world, name):
    """Create a person who can lead events, and return the instructor's id."""
    person, instructor_id = uuid4(), uuid4()
    world.db.execute(
        "insert into users.profiles (id, email, name) values (%s, %s, %s)", [person, f"{name}@x.test", name]
    )
    world.db.execute(
        "insert into organizations.memberships (organization_id, user_id, role) values (%s, %s, 'instructor')",
        [world.organization_id, person],
    )
    world.db.execute(
        "insert into organizations.instructors (id, organization_id, user_id, name) values (%s, %s, %s, %s)",
        [instructor_id, world.organization_id, person, name],
    )
    return instructor_id


def sent(world, topic):
    """Return the payloads of a topic in the order of the outbox, and delete all messages."""
    rows = world.db.execute("select topic, payload from public.outbox order by id").fetchall()
    world.db.execute("delete from public.outbox")
    return [row["payload"] for row in rows if row["topic"] == topic]


def receivers(world, payload):
    """Return the names of the people who receive a message about a led event."""
    query = "select array_agg(r.name) from messaging.recipients('event.lead_changed', %s) as r"
    return routines.call(world.db, None, query, [Jsonb(payload)])


def test_each_editable_field_of_event_and_series_has_a_decision(world):
    assert set(decisions(world.db)) == FIELDS | set(SeriesChanges.model_fields)


def test_page_lists_the_fields_of_which_somebody_is_notified(world):
    notified = {field for field, audience in decisions(world.db).items() if any(audience)}

    [line] = [line for line in PAGE.read_text().splitlines() if line.startswith("A change of ")]
    assert set(line.removeprefix("A change of ").split(" notifies ")[0].replace(" or ", ", ").split(", ")) == {
        f"`{field}`" for field in notified
    }


def test_only_rows_of_events_are_compared(world):
    """A field with an audience must be a column of events.events, or its change would never be noticed."""
    columns = {
        row["attname"]
        for row in world.db.execute(
            "select a.attname from pg_attribute as a where a.attrelid = 'events.events'::regclass and a.attnum > 0"
        )
    }
    assert {field for field, audience in decisions(world.db).items() if any(audience)} <= columns


def changes(world, event):
    """Return a change of each field of an event."""
    starts_at, ends_at = (datetime.fromisoformat(event[name]) for name in ("starts_at", "ends_at"))
    policy = uuid4()
    world.db.execute(
        "insert into organizations.policies (id, organization_id, name) values (%s, %s, 'Other')",
        [policy, world.organization_id],
    )
    room = world.db.execute(
        "insert into organizations.rooms (organization_id, location_id, name) values (%s, %s, 'Hall') returning id",
        [world.organization_id, world.location_id],
    ).fetchone()["id"]
    resource = world.db.execute(
        "insert into organizations.resources (organization_id, name) values (%s, 'Projector') returning id",
        [world.organization_id],
    ).fetchone()["id"]
    return {
        "title": "Other",
        "description": "Other",
        "category": "music",
        "language": "fr",
        "time_zone": "Europe/Berlin",
        "starts_at": (starts_at - timedelta(minutes=30)).isoformat(),
        "ends_at": (ends_at + timedelta(minutes=30)).isoformat(),
        "capacity": 40,
        "price_cents": 100,
        "location_id": str(world.location_id),
        "room_id": str(room),
        "instructor_id": str(instructor(world, "Ben")),
        "resource_ids": [str(resource)],
        "policy_id": str(policy),
        "visibility": "private",
        "status": "scheduled",
    }


@pytest.mark.parametrize("field", sorted(FIELDS))
def test_edit_of_a_field_notifies_those_whom_the_decision_names(world, field):
    lead = instructor(world, "Ana")
    # A room of another location would move the event there.
    place = {"location_id": str(world.location_id)} if field == "room_id" else {}
    event = scheduling.make_event(world, instructor_id=str(lead), **place)
    scheduling.book(world, event["id"], world.customer)
    value = changes(world, event)[field]
    customers, instructors = decisions(world.db)[field]
    sent(world, "")

    answer = gateway.patch("manage-events", f"/events/{event['id']}", {field: value}, caller=world.owner)

    assert answer.status == 200, answer.text
    rows = world.db.execute("select topic, payload from public.outbox order by id").fetchall()
    assert [row["payload"]["changed"] for row in rows if row["topic"] == "event.changed"] == [[field]] * customers
    led = [row["payload"]["duty"] for row in rows if row["topic"] == "event.lead_changed"]
    expected = ["released", "assigned"] if field == "instructor_id" else ["changed"]
    assert led == expected * instructors
    assert {row["topic"] for row in rows} <= {"event.changed", "event.lead_changed"}


def test_edit_that_changes_nothing_notifies_nobody(world):
    lead = instructor(world, "Ana")
    event = scheduling.make_event(world, instructor_id=str(lead), location_id=str(world.location_id))
    scheduling.book(world, event["id"], world.customer)
    sent(world, "")
    same = {
        name: event[name] for name in ("title", "starts_at", "ends_at", "time_zone", "location_id", "instructor_id")
    }

    gateway.patch("manage-events", f"/events/{event['id']}", same, caller=world.owner)

    assert world.db.execute("select topic from public.outbox").fetchall() == []


def test_substitute_and_former_instructor_and_customers_are_notified(world):
    ana, ben = instructor(world, "Ana"), instructor(world, "Ben")
    event = scheduling.make_event(world, instructor_id=str(ana))
    scheduling.book(world, event["id"], world.customer)
    sent(world, "")

    gateway.patch("manage-events", f"/events/{event['id']}", {"instructor_id": str(ben)}, caller=world.owner)

    released, assigned = sent(world, "event.lead_changed")
    assert (released["duty"], receivers(world, released)) == ("released", ["Ana"])
    assert (assigned["duty"], receivers(world, assigned)) == ("assigned", ["Ben"])


def test_customer_reads_the_name_of_the_substitute(world):
    event = scheduling.make_event(world, instructor_id=str(world.instructor_id))
    scheduling.book(world, event["id"], world.customer)
    substitute = instructor(world, "Ben")
    sent(world, "")
    gateway.patch("manage-events", f"/events/{event['id']}", {"instructor_id": str(substitute)}, caller=world.owner)
    [payload] = sent(world, "event.changed")

    query = "select r.facts from messaging.recipients('event.changed', %s) as r"
    facts = routines.call(world.db, None, query, [Jsonb(payload)])

    assert (payload["changed"], facts["instructor"]) == (["instructor_id"], "Ben")


def test_series_notifies_an_instructor_once_and_each_customer_of_each_event(world):
    ana, ben = instructor(world, "Ana"), instructor(world, "Ben")
    series = scheduling.make_series(world, instructor_id=str(ana), recurrence="FREQ=WEEKLY;COUNT=5")
    first, second, *_ = scheduling.events_of(world, series["id"])
    scheduling.book(world, first["id"], world.customer)
    scheduling.book(world, second["id"], world.customer)
    sent(world, "")

    body = {"scope": "all", "instructor_id": str(ben), "title": "Evening yoga"}
    gateway.patch("manage-events", f"/series/{series['id']}", body, caller=world.owner)

    rows = world.db.execute("select topic, payload from public.outbox order by id").fetchall()
    assert [row["payload"]["changed"] for row in rows if row["topic"] == "event.changed"] == [["instructor_id"]] * 2
    led = [row["payload"] for row in rows if row["topic"] == "event.lead_changed"]
    assert [(each["duty"], each["events"], each["id"]) for each in led] == [
        ("released", 5, str(first["id"])),
        ("assigned", 5, str(first["id"])),
    ]
    sent(world, "")
    gateway.patch("manage-events", f"/series/{series['id']}", body, caller=world.owner)
    assert world.db.execute("select topic from public.outbox").fetchall() == []


def test_moved_series_notifies_its_instructor_once(world):
    ana = instructor(world, "Ana")
    series = scheduling.make_series(world, instructor_id=str(ana), recurrence="FREQ=WEEKLY;COUNT=5")
    sent(world, "")

    body = {"scope": "all", "local_start_time": "11:00"}
    gateway.patch("manage-events", f"/series/{series['id']}", body, caller=world.owner)

    [led] = sent(world, "event.lead_changed")
    assert (led["duty"], led["events"]) == ("changed", 5)
