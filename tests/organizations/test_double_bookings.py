"""Test that two events never have one room, instructor or resource at the same time, where the organization refuses it.

The same rules hold for single events and series, and for events that are created, moved, published or cancelled.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from marquee.core import database
from marquee.scheduling import generation
from tests.kit import gateway, stages

START = (datetime.now(UTC) + timedelta(days=20)).replace(minute=0, second=0, microsecond=0)


class Studio:
    """An organization with two rooms, two instructors and a resource."""

    def __init__(self, db, double_booking="refuse"):
        db.execute("update ops.rate_limit_rules set burst = 1000, per_minute = 1000")
        self.db = db
        self.stage = stages.create(db, double_booking=double_booking)
        self.location = self.place("locations", name="Main", city="Zurich")
        self.room, self.other_room = (
            self.place("rooms", location_id=self.location, name=name) for name in ("Room 1", "Room 2")
        )
        self.instructor, self.other_instructor = (self.place("instructors", name=name) for name in ("Ana", "Ben"))
        self.resource = self.place("resources", name="Projector")

    def place(self, kind, **members):
        path = f"/organizations/{self.stage.organization_id}/{kind}"
        answer = gateway.post("organizations", path, members, caller=self.stage.owner)
        assert answer.status == 201, answer.text
        return answer.body["id"]

    def event(self, hours=0, minutes=60, **members):
        starts_at = START + timedelta(hours=hours)
        body = {
            "organization_id": str(self.stage.organization_id),
            "title": "Class",
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(minutes=minutes)).isoformat(),
            **members,
        }
        return gateway.post("manage-events", "/events", body, caller=self.stage.owner)

    def series(self, **members):
        body = {
            "organization_id": str(self.stage.organization_id),
            "title": "Weekly",
            "time_zone": "UTC",
            "recurrence": "RRULE:FREQ=WEEKLY",
            "local_start_time": START.strftime("%H:%M"),
            "start_date": START.date().isoformat(),
            "duration_minutes": 60,
            **members,
        }
        return gateway.post("manage-events", "/series", body, caller=self.stage.owner)

    def edit_series(self, series, **changes):
        return gateway.patch("manage-events", f"/series/{series['id']}", {"scope": "all", **changes},
                             caller=self.stage.owner)  # fmt: skip

    def edit(self, event, **changes):
        return gateway.patch("manage-events", f"/events/{event['id']}", changes, caller=self.stage.owner)

    def cancel(self, event):
        return gateway.post("manage-events", f"/events/{event['id']}/cancel", {}, caller=self.stage.owner)

    def set(self, double_booking):
        path = f"/organizations/{self.stage.organization_id}"
        return gateway.patch("organizations", path, {"double_booking": double_booking}, caller=self.stage.owner)

    def listed(self):
        path = f"/organizations/{self.stage.organization_id}/double-bookings"
        return gateway.get("organizations", path, caller=self.stage.owner).body["items"]

    def occupancies(self):
        return self.db.execute("select count(*) as n from events.occupancies").fetchone()["n"]


@pytest.fixture
def studio(db):
    return Studio(db)


def code(answer):
    return answer.status, (answer.body or {}).get("code")


DOUBLE = (409, "double_booked")


def test_room_has_one_event_at_a_time(studio):
    first = studio.event(room_id=studio.room)
    assert (first.status, first.body["location_id"]) == (201, studio.location)

    second = studio.event(hours=0.5, room_id=studio.room)

    assert code(second) == DOUBLE
    assert [
        (conflict["room_id"], conflict["other_event_id"], conflict["instructor_id"])
        for conflict in second.body["conflicts"]
    ] == [(studio.room, first.body["id"], None)]
    assert studio.event(hours=0.5, room_id=studio.other_room).status == 201
    assert studio.event(hours=1, room_id=studio.room).status == 201, "an event may start when the other one ends"
    assert code(studio.event(hours=-23, minutes=48 * 60, room_id=studio.room)) == DOUBLE


def test_instructor_has_one_event_at_a_time(studio):
    assert studio.event(instructor_id=studio.instructor).status == 201

    assert code(studio.event(instructor_id=studio.instructor)) == DOUBLE
    assert studio.event(instructor_id=studio.other_instructor).status == 201


def test_resource_has_one_event_at_a_time(studio):
    assert studio.event(resource_ids=[studio.resource, studio.resource]).status == 201

    assert code(studio.event(resource_ids=[studio.resource])) == DOUBLE
    assert studio.event(resource_ids=[]).status == 201


def test_draft_occupies_its_room(studio):
    assert studio.event(room_id=studio.room, status="draft").status == 201

    assert code(studio.event(room_id=studio.room)) == DOUBLE


def test_cancelled_event_frees_its_room(studio):
    first = studio.event(room_id=studio.room, instructor_id=studio.instructor).body
    studio.cancel(first)

    assert studio.occupancies() == 0
    assert studio.event(room_id=studio.room, instructor_id=studio.instructor).status == 201


def test_moved_event_takes_its_new_time_only(studio):
    first = studio.event(room_id=studio.room).body
    second = studio.event(hours=2, room_id=studio.room).body
    there = {name: first[name] for name in ("starts_at", "ends_at")}

    assert code(studio.edit(second, **there)) == DOUBLE
    assert studio.edit(second, room_id=studio.other_room, **there).status == 200
    assert code(studio.edit(second, room_id=studio.room)) == DOUBLE
    assert studio.event(hours=2, room_id=studio.room).status == 201


def test_refused_edit_changes_nothing(studio):
    studio.event(room_id=studio.room)
    second = studio.event(hours=2, room_id=studio.room).body
    before = studio.db.execute("select * from events.occupancies order by event_id").fetchall()

    studio.edit(second, starts_at=START.isoformat(), ends_at=(START + timedelta(hours=1)).isoformat(), title="Moved")

    assert studio.db.execute("select * from events.occupancies order by event_id").fetchall() == before
    assert studio.db.execute("select count(*) as n from events.events where title = 'Moved'").fetchone()["n"] == 0


def test_event_moves_to_another_month_with_its_occupancy(studio):
    event = studio.event(room_id=studio.room).body
    later = START + timedelta(days=45)

    moved = studio.edit(event, starts_at=later.isoformat(), ends_at=(later + timedelta(hours=1)).isoformat())

    assert moved.status == 200, moved.text
    assert studio.event(room_id=studio.room).status == 201
    assert code(studio.event(hours=45 * 24, room_id=studio.room)) == DOUBLE


def test_occupancies_survive_the_creation_of_a_partition(studio):
    far = 24 * 800
    event = studio.event(hours=far, room_id=studio.room)
    assert event.status == 201, event.text
    before = studio.db.execute("select * from events.occupancies").fetchall()
    month = (START + timedelta(hours=far)).date().replace(day=1)

    moved = studio.db.execute("select ops.create_partition('events.events', %s) as n", [month]).fetchone()["n"]

    assert moved == 1
    assert studio.db.execute("select * from events.occupancies").fetchall() == before


def test_series_is_refused_for_a_single_conflict(studio):
    studio.event(hours=14 * 24, room_id=studio.room)

    refused = studio.series(room_id=studio.room)

    assert code(refused) == DOUBLE
    assert len(refused.body["conflicts"]) == 1
    assert studio.db.execute("select count(*) as n from events.series").fetchone()["n"] == 0
    assert studio.series(room_id=studio.other_room).status == 201


def test_series_that_overlaps_itself_is_refused(studio):
    overlapping = {"recurrence": "RRULE:FREQ=DAILY;COUNT=3;BYHOUR=9,10", "local_start_time": "09:00"}
    refused = studio.series(room_id=studio.room, duration_minutes=90, **overlapping)

    assert refused.status in (409, 422)
    assert studio.occupancies() == 0


def test_edited_series_moves_time_and_room_together(studio):
    series = studio.series(room_id=studio.room).body
    studio.event(hours=2, room_id=studio.room)
    later = (START + timedelta(hours=2)).strftime("%H:%M")

    assert code(studio.edit_series(series, local_start_time=later)) == DOUBLE
    assert studio.edit_series(series, local_start_time=later, room_id=studio.other_room).status == 200
    assert code(studio.edit_series(series, room_id=studio.room)) == DOUBLE
    assert studio.event(room_id=studio.room).status == 201


def test_single_event_of_a_series_is_checked(studio):
    series = studio.series(room_id=studio.room).body
    studio.event(hours=2, room_id=studio.room)
    event_id = studio.db.execute(
        "select event_id from events.occurrences where series_id = %s order by local_start limit 1", [series["id"]]
    ).fetchone()["event_id"]

    refused = studio.edit_series(
        series, scope="this", event_id=str(event_id), local_start_time=(START + timedelta(hours=2)).strftime("%H:%M")
    )

    assert code(refused) == DOUBLE


def test_archived_series_frees_its_room(studio):
    series = studio.series(room_id=studio.room).body
    assert studio.occupancies() > 10

    gateway.post("manage-events", f"/series/{series['id']}/archive", {}, caller=studio.stage.owner)

    assert studio.occupancies() == 0
    assert studio.series(room_id=studio.room).status == 201


def test_daily_job_lists_a_conflict_and_refuses_later_ones(studio):
    series = studio.series(room_id=studio.room).body
    studio.db.execute("delete from events.occurrences where local_start > %s", [START + timedelta(days=1)])
    studio.db.execute("delete from events.events where starts_at > %s", [START + timedelta(days=1)])
    studio.db.execute("update events.series set generated_until = %s", [START.date()])
    other = studio.event(hours=7 * 24, room_id=studio.room).body

    with database.transaction(database.service()) as session:
        made = generation.generate(session, [UUID(series["id"])], datetime.now(UTC))

    assert made.events > 10
    [conflict] = studio.listed()
    assert other["id"] in (conflict["event_id"], conflict["other_event_id"])
    assert code(studio.event(hours=7 * 24, room_id=studio.room)) == DOUBLE
    assert code(studio.event(hours=14 * 24, room_id=studio.room)) == DOUBLE


def test_reporting_organization_lists_double_bookings(db):
    studio = Studio(db, "report")
    first = studio.event(room_id=studio.room).body
    second = studio.event(hours=0.5, room_id=studio.room)

    assert second.status == 201
    [conflict] = studio.listed()
    assert (conflict["event_id"], conflict["other_event_id"]) == (first["id"], second.body["id"])
    assert conflict["room_id"] == studio.room
    assert datetime.fromisoformat(conflict["starts_at"]) == START + timedelta(minutes=30)
    assert datetime.fromisoformat(conflict["ends_at"]) == START + timedelta(minutes=60)


def test_refusing_starts_when_no_conflict_is_left(db):
    studio = Studio(db, "report")
    studio.event(room_id=studio.room)
    second = studio.event(room_id=studio.room).body

    assert code(studio.set("refuse")) == DOUBLE
    assert studio.edit(second, room_id=studio.other_room).status == 200
    assert studio.set("refuse").status == 200

    assert code(studio.event(room_id=studio.room)) == DOUBLE
    assert studio.set("report").status == 200
    assert studio.event(room_id=studio.room).status == 201


def test_constraint_refuses_a_double_booking_without_the_trigger(studio):
    event = studio.event(room_id=studio.room).body
    other = studio.event(hours=3).body

    with pytest.raises(psycopg.errors.ExclusionViolation, match="never_double_booked"):
        studio.db.execute(
            "insert into events.occupancies (event_id, organization_id, room_id, starts_at, ends_at, enforced)"
            " select %s, o.organization_id, o.room_id, o.starts_at, o.ends_at, true from events.occupancies as o"
            " where o.event_id = %s",
            [other["id"], event["id"]],
        )


def test_places_of_another_organization_are_unknown(studio, db):
    other = Studio(db)

    for member, value in (("room_id", other.room), ("instructor_id", other.instructor),
                          ("resource_ids", [other.resource])):  # fmt: skip
        refused = studio.event(**{member: value})
        assert (refused.status, refused.body["errors"][0]["path"]) == (422, ["body", member])


def test_room_determines_the_location(studio):
    elsewhere = studio.place("locations", name="Elsewhere", city="Bern")

    assert code(studio.event(room_id=studio.room, location_id=elsewhere)) == (422, "invalid_request")
    event = studio.event(room_id=studio.room).body
    moved = studio.edit(event, location_id=elsewhere)
    assert (moved.body["location_id"], moved.body["room_id"]) == (elsewhere, None)
    assert studio.event(room_id=studio.room).status == 201
