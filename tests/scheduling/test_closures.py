"""Test that nothing takes place in a closed time: its events are cancelled, and no new ones get in."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from marquee.core import clock, database
from marquee.scheduling import generation
from tests.kit import gateway, routines, scheduling
from tests.kit.concurrency import InBackground, wait_for_a_lock
from tests.kit.gateway import Answer
from tests.kit.scheduling import Database, World

NUMBERS = ("events", "bookings", "waitlist_entries", "people", "seats")
CLOSED = (409, "place_closed")


@pytest.fixture
def world(db: Database) -> World:
    db.execute("update ops.rate_limit_rules set burst = 1000, per_minute = 1000")
    return scheduling.world(db)


def close(
    world: World, first: int | str, last: int | str | None = None, caller: UUID | None = None, key: str | None = None,
    **body: Any,
) -> Answer:  # fmt: skip
    """Close from one day to another, counted from today, or between two times."""
    until = first if last is None else last
    days = [str(scheduling.day(day)) if isinstance(day, int) else day for day in (first, until)]
    return gateway.post(
        "manage-events", f"/organizations/{world.organization_id}/closures",
        {"from": days[0], "until": days[1], "reason": "Works in the house.", **body},
        caller=caller or world.editor, key=key,
    )  # fmt: skip


def end(world: World, closure: dict[str, Any], caller: UUID | None = None) -> Answer:
    path = f"/organizations/{world.organization_id}/closures/{closure['id']}"
    return gateway.delete("manage-events", path, caller=caller or world.editor)


def closures(world: World, caller: UUID | None = None) -> list[dict[str, Any]]:
    path = f"/organizations/{world.organization_id}/closures"
    found: list[dict[str, Any]] = gateway.get("manage-events", path, caller=caller or world.viewer).body["items"]
    return found


def code(answer: Answer) -> tuple[int, str | None]:
    return answer.status, (answer.body or {}).get("code")


def at(number: int, hour: int = 12) -> dict[str, str]:
    """Return start and end of an event of one hour, on a day counted from today."""
    starts_at = datetime.combine(scheduling.day(number), datetime.min.time(), UTC) + timedelta(hours=hour)
    return {"starts_at": starts_at.isoformat(), "ends_at": (starts_at + timedelta(hours=1)).isoformat()}


def create(world: World, number: int, hour: int = 12, **members: Any) -> Answer:
    body = {"organization_id": str(world.organization_id), "title": "Class", **at(number, hour), **members}
    return gateway.post("manage-events", "/events", body, caller=world.editor)


def statuses(world: World, *events: dict[str, Any]) -> list[str]:
    rows = world.db.execute("select e.id::text as id, e.status::text as status from events.events as e").fetchall()
    found = {row["id"]: row["status"] for row in rows}
    return [found[event["id"]] for event in events]


def room(world: World, name: str) -> str:
    path = f"/organizations/{world.organization_id}/rooms"
    body = {"location_id": str(world.location_id), "name": name}
    made = gateway.post("organizations", path, body, caller=world.owner)
    assert made.status == 201, made.text
    return str(made.body["id"])


def booked_day(world: World) -> dict[str, Any]:
    """Create a full event in five days, with one booking for two and one person who waits."""
    event: dict[str, Any] = create(world, 5, capacity=2).body
    scheduling.book(world, event["id"], world.customer, 2)
    scheduling.wait(world, event["id"], world.second_customer)
    scheduling.topics(world)
    return event


def test_closing_cancels_bookings_only_with_their_numbers(world: World) -> None:
    event = booked_day(world)
    empty = create(world, 5, 14).body
    expected = {"events": 2, "bookings": 1, "waitlist_entries": 1, "people": 2, "seats": 2}

    refused = close(world, 5)

    assert code(refused) == (409, "would_cancel")
    assert {name: refused.body[name] for name in NUMBERS} == expected
    assert code(close(world, 5, confirm={**expected, "people": 1})) == (409, "would_cancel")
    assert (statuses(world, event, empty), closures(world), scheduling.topics(world)) == (["scheduled"] * 2, [], [])

    closed = close(world, 5, confirm=expected)

    assert (closed.status, closed.body["cancelled"]) == (201, expected)
    assert statuses(world, event, empty) == ["cancelled"] * 2
    assert [item["id"] for item in closures(world)] == [closed.body["id"]]
    told = scheduling.topics(world)
    assert ("booking.cancelled", world.customer) in told
    assert ("waitlist.expired", world.second_customer) in told
    reason = world.db.execute("select b.status_reason, b.fee_cents from events.bookings as b").fetchone()
    assert reason == {"status_reason": "Works in the house.", "fee_cents": 0}


def test_closing_without_bookings_needs_no_confirmation(world: World) -> None:
    event = create(world, 5).body

    assert close(world, 5).status == 201

    assert statuses(world, event) == ["cancelled"]


def test_closed_time_has_the_days_of_the_organizations_zone(world: World) -> None:
    """In Zurich, 23:30 UTC is the next day."""
    before, first, last, after = (
        create(world, day, hour).body for day, hour in ((4, 20), (4, 23), (6, 20), (6, 23))
    )  # fmt: skip

    closed = close(world, 5, 6).body

    assert statuses(world, before, first, last, after) == ["scheduled", "cancelled", "cancelled", "scheduled"]
    assert closed["time_zone"] == "Europe/Zurich"


def test_days_of_a_closure_have_23_or_25_hours_when_the_clocks_change(world: World) -> None:
    row = world.db.execute(
        """
        select d.day::date::text as day
        from generate_series(current_date + 3, current_date + 380, interval '1 day') as d (day)
        where
            (d.day + interval '1 day')::timestamp at time zone 'Europe/Zurich'
            - d.day::timestamp at time zone 'Europe/Zurich' <> interval '24 hours'
        """
    ).fetchall()
    assert len(row) == 2
    lengths = []
    for found in row:
        closed = close(world, found["day"]).body
        lengths.append(datetime.fromisoformat(closed["ends_at"]) - datetime.fromisoformat(closed["starts_at"]))
    assert sorted(lengths) == [timedelta(hours=23), timedelta(hours=25)]


def test_closure_of_a_room_or_a_location_leaves_the_others_open(world: World) -> None:
    one, two = room(world, "Room 1"), room(world, "Room 2")
    in_one, in_two = (create(world, 5, room_id=room_id).body for room_id in (one, two))
    elsewhere = create(world, 5).body

    closed = close(world, 5, room_id=one)

    assert (closed.status, closed.body["location_id"]) == (201, str(world.location_id))
    assert statuses(world, in_one, in_two, elsewhere) == ["cancelled", "scheduled", "scheduled"]
    assert code(create(world, 5, 15, room_id=one)) == CLOSED
    assert create(world, 5, 15, room_id=two).status == 201

    assert close(world, 5, location_id=str(world.location_id)).status == 201
    assert statuses(world, in_two, elsewhere) == ["cancelled", "scheduled"]
    assert code(create(world, 5, 16, room_id=two)) == CLOSED
    assert create(world, 5, 16).status == 201


def test_closure_between_two_times_closes_a_part_of_the_day(world: World) -> None:
    morning, noon, evening = (create(world, 5, hour).body for hour in (9, 12, 18))

    assert close(world, at(5, 12)["starts_at"], at(5, 17)["starts_at"]).status == 201

    assert statuses(world, morning, noon, evening) == ["scheduled", "cancelled", "scheduled"]
    assert create(world, 5, 11).status == 201, "an event may end when the closed time starts"
    assert code(create(world, 5, 16)) == CLOSED
    assert create(world, 5, 17).status == 201


def test_event_gets_into_a_closed_time_by_no_edit_and_no_copy(world: World) -> None:
    closed = close(world, 5).body
    event = create(world, 8).body
    path = f"/events/{event['id']}"

    refused = gateway.patch("manage-events", path, at(5), caller=world.editor)

    assert code(refused) == CLOSED
    assert refused.body["closure_id"] == closed["id"]
    copy = gateway.post("manage-events", f"{path}/copy", {"date": str(scheduling.day(5))}, caller=world.editor)
    assert code(copy) == CLOSED
    assert gateway.patch("manage-events", path, {"title": "Renamed"}, caller=world.editor).status == 200


def test_series_skip_closed_times_and_fill_them_after_an_early_end(world: World) -> None:
    closed = close(world, 5, 6).body
    series = scheduling.make_series(world, recurrence="FREQ=DAILY;COUNT=10", start_date=str(scheduling.day(2)))
    days = [event["local_start"].date() for event in scheduling.events_of(world, series["id"])]
    assert [scheduling.day(number) for number in range(2, 12) if number not in (5, 6)] == days

    def generate() -> int:
        """Generate what is due, as the daily run does, and return the number of events of the series."""
        now = clock.now()
        with database.transaction(database.service()) as session:
            generation.generate(session, generation.due(session, now, None), now)
        return len(scheduling.events_of(world, series["id"]))

    assert generate() == 8
    path = f"/series/{series['id']}/generate"
    assert gateway.post("manage-events", path, caller=world.editor).body["events_made"] == 0

    assert end(world, closed).status == 204

    assert generate() == 10


def test_cancelled_events_of_a_series_stay_cancelled_after_an_early_end(world: World) -> None:
    series = scheduling.make_series(world, recurrence="FREQ=DAILY;COUNT=5", start_date=str(scheduling.day(3)))
    closed = close(world, 5).body
    end(world, closed)

    assert gateway.post("manage-events", f"/series/{series['id']}/generate", caller=world.editor).status == 200

    assert [event["status"] for event in scheduling.events_of(world, series["id"])].count("cancelled") == 1
    assert closures(world) == []
    assert create(world, 5, 15).status == 201
    assert end(world, closed).status == 204, "ending it again changes nothing"


def test_events_that_have_started_stay(world: World) -> None:
    event = create(world, 5).body
    scheduling.book(world, event["id"], world.customer)
    world.db.execute(
        "update events.events set starts_at = now() - interval '1 hour', ends_at = now() + interval '1 hour'"
    )

    assert close(world, 0, 1).status == 201

    assert statuses(world, event) == ["scheduled"]


def test_impossible_closures_are_refused(world: World) -> None:
    assert close(world, 5, 4).status == 422
    assert close(world, -3, -2).status == 422
    assert close(world, 5, 500).status == 422
    assert close(world, 2000).status == 422
    assert close(world, 5, room_id=str(uuid4())).status == 422
    assert close(world, 5, reason="").status == 422
    world.db.execute("update ops.limits set value = 1 where name = 'closures_per_organization'")
    assert close(world, 5).status == 201
    assert code(close(world, 6)) == (409, "too_many_closures")


def test_closure_of_more_bookings_than_one_request_may_cancel_is_refused(world: World) -> None:
    booked_day(world)
    world.db.execute("update ops.limits set value = 1 where name = 'closure_size'")

    refused = close(world, 5, confirm=True)

    assert code(refused) == (409, "closure_too_large")
    assert closures(world) == []


def test_only_editors_of_the_organization_close_and_members_see_closures(world: World) -> None:
    closed = close(world, 5).body

    for caller in (world.front_desk, world.viewer, world.stranger, world.customer):
        assert close(world, 7, caller=caller).status == 403
        assert end(world, closed, caller).status == 403
    assert [item["id"] for item in closures(world, world.front_desk)] == [closed["id"]]
    assert closures(world, world.stranger) == closures(world, world.customer) == []
    assert end(world, {"id": uuid4()}).status == 404
    path = f"/organizations/{world.other_organization_id}/closures/{closed['id']}"
    assert gateway.delete("manage-events", path, caller=world.stranger).status == 404


def test_repeated_request_with_a_key_closes_once(world: World) -> None:
    booked_day(world)

    first, again = (close(world, 5, key="k", confirm=True) for _ in range(2))

    assert (first.status, first.body) == (201, again.body)
    assert len(closures(world)) == 1
    assert code(close(world, 6, key="k")) == (422, "idempotency_conflict")


def test_event_that_is_created_at_the_same_time_is_cancelled_or_refused(world: World, connect: Any) -> None:
    """Whichever commits first, no event remains in the closed time."""
    rival = connect(autocommit=False)
    details = {"organization_id": str(world.organization_id), "title": "Class", **at(5)}
    query = "select events.create_event(details => %s)"
    made = routines.call(rival, world.owner, query, [json.dumps(details)])
    late = InBackground(lambda: close(world, 5))
    wait_for_a_lock(world.db, "%events.close_period%")
    rival.commit()
    assert late.got().status == 201
    assert statuses(world, made) == ["cancelled"]

    query = "select events.close_period(organization_id => %s, details => %s)"
    closed = {"from": str(scheduling.day(9)), "until": str(scheduling.day(9)), "reason": "Works."}
    routines.call(rival, world.owner, query, [world.organization_id, json.dumps(closed)])
    late = InBackground(lambda: create(world, 9))
    wait_for_a_lock(world.db, "%events.create_event%")
    rival.commit()
    assert code(late.got()) == CLOSED


def test_edit_and_closure_at_the_same_time_do_not_wait_for_each_other(world: World, connect: Any) -> None:
    """The edit holds its event; the closure waits for it and then cancels the moved event."""
    event = create(world, 8).body
    rival = connect(autocommit=False)
    query = "select events.update_event(event_id => %s, changes => %s)"
    routines.call(rival, world.owner, query, [event["id"], json.dumps(at(5))])

    late = InBackground(lambda: close(world, 5))
    wait_for_a_lock(world.db, "%events.close_period%")
    rival.commit()

    assert late.got().status == 201
    assert statuses(world, event) == ["cancelled"]


def test_new_event_waits_for_a_closure_without_the_lock_of_the_rooms(world: World, connect: Any) -> None:
    """A closure locks the rooms last, when it cancels its events: the other order would be a deadlock."""
    one = room(world, "Room 1")
    rival = connect(autocommit=False)
    rival.execute("select events.lock_closures(array[%s], exclusive => true)", [world.organization_id])
    late = InBackground(lambda: create(world, 5, room_id=one))
    wait_for_a_lock(world.db, "%events.create_event%")

    rival.execute("set local lock_timeout = '5s'")
    rival.execute("select events.lock_occupancies(array[%s])", [world.organization_id])

    rival.rollback()
    assert late.got().status == 201
