"""Test that one event gets another instructor: people are notified, and staff see who is absent."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.kit import gateway, routines, scheduling
from tests.kit.concurrency import InBackground, wait_for_a_lock
from tests.kit.gateway import Answer
from tests.kit.scheduling import Database, World


@pytest.fixture
def world(db: Database) -> World:
    db.execute("update ops.rate_limit_rules set burst = 1000, per_minute = 1000")
    return scheduling.world(db)


def instructor(world: World, name: str, organization_id: UUID | None = None) -> str:
    row = world.db.execute(
        "insert into organizations.instructors (organization_id, name) values (%s, %s) returning id::text as id",
        [organization_id or world.organization_id, name],
    ).fetchone()
    assert row is not None
    return str(row["id"])


def substitute(world: World, event_id: Any, caller: UUID | None = None, **body: Any) -> Answer:
    path = f"/events/{event_id}/substitute"
    return gateway.post("manage-events", path, body, caller=caller or world.editor)


def listed(world: World, event_id: str) -> tuple[Any, ...]:
    """Return instructor, absent instructor and note of an event in the staff's list; the day and the file agree."""
    path = f"/organizations/{world.organization_id}"
    [event] = [
        item
        for item in gateway.get("desk", f"{path}/events", caller=world.front_desk).body["items"]
        if item["id"] == event_id
    ]
    day = gateway.get("desk", f"{path}/today", caller=world.front_desk, query={"day": event["starts_at"][:10]}).body[
        "events"
    ]
    names = ("instructor_name", "absent_instructor_name", "substitution_note")
    [of_day] = [tuple(item[name] for name in names) for item in day if item["id"] == event_id]
    found = tuple(event[name] for name in names)
    assert of_day == found
    return found


def test_substitute_leads_the_event_and_everybody_concerned_is_notified_once(world: World) -> None:
    event = scheduling.make_event(world, instructor_id=str(world.instructor_id))
    scheduling.book(world, event["id"], world.customer)
    scheduling.book(world, event["id"], world.second_customer)
    scheduling.topics(world)
    ana = instructor(world, "Ana")

    answer = substitute(world, event["id"], instructor_id=ana, note="Felix has a cold.")

    assert (answer.status, answer.body["instructor_id"]) == (200, ana)
    payloads = [row["payload"] for row in world.db.execute("select o.payload from public.outbox as o").fetchall()]
    assert "cold" not in str(payloads)
    assert all(payload["changed"] == ["instructor_id"] for payload in payloads if "customer_id" in payload)
    told = [person for topic, person in scheduling.topics(world) if topic == "event.changed"]
    assert sorted(told) == sorted([world.customer, world.second_customer])
    assert listed(world, event["id"]) == ("Ana", "Felix", "Felix has a cold.")

    again = substitute(world, event["id"], instructor_id=ana)

    assert again.status == 200
    assert scheduling.topics(world) == []
    assert listed(world, event["id"]) == ("Ana", "Felix", "Felix has a cold.")


def test_substitute_of_a_substitute_stands_in_for_the_first_instructor(world: World) -> None:
    event = scheduling.make_event(world, instructor_id=str(world.instructor_id))
    ana, ben = instructor(world, "Ana"), instructor(world, "Ben")

    substitute(world, event["id"], instructor_id=ana, note="Monday.")
    substitute(world, event["id"], instructor_id=ben)
    assert listed(world, event["id"]) == ("Ben", "Felix", None)

    substitute(world, event["id"], instructor_id=str(world.instructor_id))
    assert listed(world, event["id"]) == ("Felix", None, None)

    audit = gateway.get("people", f"/organizations/{world.organization_id}/audit", caller=world.owner).body
    changes = [
        (item["before"]["instructor_id"], item["after"]["instructor_id"])
        for item in audit["items"]
        if item["kind"] == "event.substituted"
    ]
    felix = str(world.instructor_id)
    assert changes == [(ben, felix), (ana, ben), (felix, ana)]


def test_edit_of_the_instructor_ends_a_substitution(world: World) -> None:
    event = scheduling.make_event(world, instructor_id=str(world.instructor_id))
    ana, ben = instructor(world, "Ana"), instructor(world, "Ben")
    substitute(world, event["id"], instructor_id=ana)

    gateway.patch("manage-events", f"/events/{event['id']}", {"instructor_id": ben}, caller=world.editor)

    assert listed(world, event["id"]) == ("Ben", None, None)


def test_substitute_at_one_occurrence_outlives_edits_of_the_series(world: World) -> None:
    series = scheduling.make_series(
        world, recurrence="FREQ=DAILY;COUNT=4", start_date=str(scheduling.day(2)),
        instructor_id=str(world.instructor_id),
    )  # fmt: skip
    ana, ben = instructor(world, "Ana"), instructor(world, "Ben")
    second = scheduling.events_of(world, series["id"])[1]["id"]

    assert substitute(world, second, instructor_id=ana).status == 200
    edit = {"scope": "all", "instructor_id": ben, "title": "Renamed"}
    assert gateway.patch("manage-events", f"/series/{series['id']}", edit, caller=world.editor).status == 200

    names = [listed(world, str(event["id"]))[0] for event in scheduling.events_of(world, series["id"])]
    assert names == ["Ben", "Ana", "Ben", "Ben"]


def test_busy_substitute_is_refused_where_the_organization_refuses_double_bookings(world: World) -> None:
    world.db.execute(
        "update organizations.organizations set double_booking = 'refuse' where id = %s", [world.organization_id]
    )
    ana = instructor(world, "Ana")
    scheduling.make_event(world, instructor_id=ana)
    event = scheduling.make_event(world, instructor_id=str(world.instructor_id))

    refused = substitute(world, event["id"], instructor_id=ana)

    assert (refused.status, refused.body["code"]) == (409, "double_booked")
    assert listed(world, event["id"]) == ("Felix", None, None)


def test_only_editors_of_the_organization_name_its_own_instructors(world: World) -> None:
    event = scheduling.make_event(world, instructor_id=str(world.instructor_id))
    draft = scheduling.make_event(world, status="draft")
    ana = instructor(world, "Ana")
    foreign = instructor(world, "Rival", world.other_organization_id)

    assert substitute(world, event["id"], world.front_desk, instructor_id=ana).status == 403
    assert substitute(world, event["id"], world.customer, instructor_id=ana).status == 403
    assert substitute(world, draft["id"], world.stranger, instructor_id=ana).status == 404
    assert substitute(world, uuid4(), instructor_id=ana).status == 404
    assert substitute(world, event["id"], instructor_id=foreign).status == 422
    gateway.post("manage-events", f"/events/{event['id']}/cancel", {}, caller=world.editor)
    assert substitute(world, event["id"], instructor_id=ana).body["code"] == "event_not_editable"


def test_substitutes_named_at_once_follow_each_other(world: World, connect: Any) -> None:
    """The second request waits for the first and stands in for the same absent instructor."""
    event = scheduling.make_event(world, instructor_id=str(world.instructor_id))
    ana, ben = instructor(world, "Ana"), instructor(world, "Ben")
    query = "select events.substitute_instructor(event_id => %s, instructor_id => %s)"
    first = connect(autocommit=False)
    routines.call(first, world.editor, query, [event["id"], ana])
    second = InBackground(lambda: substitute(world, event["id"], instructor_id=ben))
    wait_for_a_lock(world.db, "%events.substitute_instructor%")
    first.commit()
    assert second.got().status == 200

    assert listed(world, event["id"]) == ("Ben", "Felix", None)
