"""Test that a copy of an event has its details and terms, another time, and nobody's bookings."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.kit import gateway, scheduling
from tests.kit.gateway import Answer
from tests.kit.scheduling import Database, World

OF_THE_COPY = {
    "id", "starts_at", "ends_at", "status", "status_reason", "series_id", "detached", "taken", "held", "waitlisted",
    "created_at", "updated_at",
}  # fmt: skip
LATER = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)


@pytest.fixture
def world(db: Database) -> World:
    db.execute("update ops.rate_limit_rules set burst = 1000, per_minute = 1000")
    return scheduling.world(db)


def copied(world: World, event_id: Any, caller: UUID | None = None, key: str | None = None, **body: Any) -> Answer:
    path = f"/events/{event_id}/copy"
    return gateway.post("manage-events", path, body, caller=caller or world.editor, key=key)


def full_event(world: World) -> dict[str, Any]:
    return scheduling.make_event(
        world, instructor_id=str(world.instructor_id), location_id=str(world.location_id),
        policy_id=str(world.policy_id), price_cents=2500, description="Bring a mat.", visibility="private",
    )  # fmt: skip


def test_copy_has_details_and_terms_and_no_bookings(world: World) -> None:
    event = full_event(world)
    world.db.execute("update organizations.policies set late_fee_cents = 9900 where id = %s", [world.policy_id])

    answer = copied(world, event["id"], starts_at=LATER.isoformat())

    assert answer.status == 201, answer.text
    copy = answer.body
    assert {name: copy[name] for name in copy.keys() - OF_THE_COPY} == {
        name: event[name] for name in event.keys() - OF_THE_COPY
    }
    assert (copy["status"], copy["taken"], datetime.fromisoformat(copy["starts_at"])) == ("draft", 0, LATER)
    assert datetime.fromisoformat(copy["ends_at"]) == LATER + timedelta(hours=2)
    assert copy["policy"]["late_fee_cents"] == 1000, "the terms are those of the original"


def test_copy_of_a_booked_or_cancelled_event_of_a_series_is_a_free_single_event(world: World) -> None:
    series = scheduling.make_series(world, recurrence="FREQ=DAILY;COUNT=3", start_date=str(scheduling.day(2)))
    event = scheduling.events_of(world, series["id"])[0]
    scheduling.book(world, event["id"], world.customer)
    gateway.post("manage-events", f"/events/{event['id']}/cancel", {}, caller=world.editor)

    copy = copied(world, event["id"], starts_at=LATER.isoformat(), status="scheduled").body

    assert (copy["status"], copy["series_id"], copy["taken"], copy["capacity"]) == ("scheduled", None, 0, 12)
    assert scheduling.book(world, copy["id"], world.customer)


def test_copy_takes_its_changes(world: World) -> None:
    event = full_event(world)

    changes = {"title": "Late class", "capacity": 3, "duration_minutes": 45, "instructor_id": None, "policy_id": None}
    copy = copied(world, event["id"], starts_at=LATER.isoformat(), changes=changes).body

    assert (copy["title"], copy["capacity"], copy["instructor_id"]) == ("Late class", 3, None)
    assert datetime.fromisoformat(copy["ends_at"]) == LATER + timedelta(minutes=45)
    assert copy["policy"]["late_fee_cents"] == 0


def test_copy_to_a_date_keeps_the_local_time_when_the_clocks_change(world: World) -> None:
    event = full_event(world)
    year = datetime.now(UTC).year + 1
    local_time = "select (%s::timestamptz at time zone 'Europe/Zurich')::time as time"
    wanted = world.db.execute(local_time, [event["starts_at"]]).fetchone()

    starts = [copied(world, event["id"], date=date).body["starts_at"] for date in (f"{year}-01-15", f"{year}-07-15")]

    assert [world.db.execute(local_time, [at]).fetchone() for at in starts] == [wanted, wanted]
    hours = {datetime.fromisoformat(at).astimezone(UTC).time() for at in starts}
    assert len(hours) == 2, "winter and summer have different offsets"


def test_copy_is_refused_like_a_new_event(world: World) -> None:
    world.db.execute(
        "update organizations.organizations set double_booking = 'refuse' where id = %s", [world.organization_id]
    )
    event = full_event(world)

    assert copied(world, event["id"], starts_at=event["starts_at"]).body["code"] == "double_booked"
    past = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    assert copied(world, event["id"], starts_at=past).body["code"] == "invalid_request"
    assert copied(world, event["id"]).status == 422
    assert copied(world, event["id"], starts_at=LATER.isoformat(), date=str(LATER.date())).status == 422
    gateway.post("organizations", f"/organizations/{world.organization_id}/archive", {}, caller=world.owner)
    assert copied(world, event["id"], starts_at=LATER.isoformat()).body["code"] == "organization_archived"


def test_copy_with_an_archived_instructor_needs_another_one(world: World) -> None:
    event = full_event(world)
    path = f"/organizations/{world.organization_id}/instructors/{world.instructor_id}"
    assert gateway.patch("organizations", path, {"archived": True}, caller=world.owner).status == 200

    refused = copied(world, event["id"], starts_at=LATER.isoformat())

    assert (refused.status, refused.body["errors"][0]["path"]) == (422, ["body", "instructor_id"])
    other = copied(world, event["id"], starts_at=LATER.isoformat(), changes={"instructor_id": None})
    assert other.status == 201


def test_only_editors_of_the_organization_copy_its_events(world: World) -> None:
    event = full_event(world)
    at = LATER.isoformat()

    assert copied(world, event["id"], world.front_desk, starts_at=at).status == 403
    assert copied(world, event["id"], world.viewer, starts_at=at).status == 403
    assert copied(world, event["id"], world.stranger, starts_at=at).status == 404
    assert copied(world, event["id"], world.customer, starts_at=at).status == 404
    assert copied(world, uuid4(), starts_at=at).status == 404


def test_repeated_request_with_a_key_creates_one_copy(world: World) -> None:
    event = full_event(world)

    first = copied(world, event["id"], key="k", starts_at=LATER.isoformat())
    again = copied(world, event["id"], key="k", starts_at=LATER.isoformat())

    assert first.status == 201
    assert json.loads(first.text) == json.loads(again.text)
    other = copied(world, event["id"], key="k", starts_at=LATER.isoformat(), status="scheduled")
    assert other.body["code"] == "idempotency_conflict"
    row = world.db.execute("select count(*) as number from events.events").fetchone()
    assert row == {"number": 2}
