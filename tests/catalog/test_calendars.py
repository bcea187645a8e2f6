"""Calendars: an RFC 5545 library reads them back, and strict parts of the format are compared byte by byte."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from icalendar import Calendar

from tests.kit import gateway, scheduling
from tests.kit.gateway import Answer
from tests.kit.scheduling import Database, World

AWKWARD = 'Yoga, "slow"; back\\slash\nsecond line — für Größe 日本 ' + "long " * 40


@pytest.fixture
def world(db: Database) -> World:
    return scheduling.world(db)


def entries(answer: Answer) -> list[Any]:
    assert answer.status == 200, answer.text
    return list(Calendar.from_ical(answer.text).walk("VEVENT"))


def calendar(path: str, caller: UUID | None = None) -> Answer:
    return gateway.get("catalog" if caller is None else "profile", path, caller=caller)


def test_event_calendar_contains_its_times_in_utc(world: World) -> None:
    event = scheduling.make_event(world, location_id=str(world.location_id), instructor_id=str(world.instructor_id))
    answer = calendar(f"/events/{event['id']}/calendar.ics")
    [entry] = entries(answer)

    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert entry["uid"] == f"{event['id']}@marquee.example"
    assert entry.decoded("dtstart") == datetime.fromisoformat(event["starts_at"])
    assert entry.decoded("dtend") == datetime.fromisoformat(event["ends_at"])
    assert (
        "DTSTART:" + datetime.fromisoformat(event["starts_at"]).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        in answer.text
    )
    assert (entry["summary"], entry["status"], entry["sequence"]) == ("Open evening", "CONFIRMED", 0)
    assert entry["location"] == "Lake room, Seestrasse 1, Zurich"
    assert entry["description"] == "With Felix"


def test_calendar_format_is_valid_whatever_the_text(world: World) -> None:
    title = AWKWARD[:200].replace("\n", " ")
    event = scheduling.make_event(world, title=title, description=AWKWARD)
    answer = calendar(f"/events/{event['id']}/calendar.ics")
    [entry] = entries(answer)

    assert (str(entry["summary"]), str(entry["description"])) == (title, AWKWARD)
    lines = answer.text.split("\r\n")
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-2:] == ["END:VCALENDAR", ""]
    assert "\n" not in "".join(lines)
    assert max(len(line.encode()) for line in lines) <= 75
    for needed in ("VERSION:2.0", "METHOD:PUBLISH"):
        assert needed in lines
    assert any(line.startswith("PRODID:") for line in lines)
    assert any(line.startswith("DTSTAMP:") for line in lines)


@pytest.mark.parametrize(
    "text", ["a\r\nb", "a\rb", "a\x01b", "a\x85b", "a\u2028b", "BEGIN:VEVENT\r\nUID:x", "a\tb", "\x1b[0m"]
)
def test_title_cannot_add_lines_to_the_calendar(world: World, text: str) -> None:
    event = scheduling.make_event(world)
    # The constraint would refuse the text.
    world.db.execute("alter table events.events drop constraint event_texts_are_readable")
    world.db.execute("update events.events set title = %s, description = %s", [text, text])
    answer = calendar(f"/events/{event['id']}/calendar.ics")

    assert len(entries(answer)) == 1
    assert answer.text.count("BEGIN:VEVENT\r\n") == 1
    assert not any(letter < " " and letter not in "\t\r\n" for letter in answer.text)
    assert answer.text.splitlines() == answer.text.removesuffix("\r\n").split("\r\n")


def test_calendar_entry_keeps_its_uid_and_counts_its_changes(world: World) -> None:
    event = scheduling.make_event(world)
    path = f"/events/{event['id']}/calendar.ics"
    [before] = entries(calendar(path))
    world.db.execute("update events.events set created_at = created_at - interval '5 seconds'")
    gateway.patch("manage-events", f"/events/{event['id']}", {"title": "Open night"}, caller=world.owner)
    [edited] = entries(calendar(path))
    world.db.execute("update events.events set created_at = created_at - interval '5 seconds'")
    gateway.post("manage-events", f"/events/{event['id']}/cancel", caller=world.owner)
    [cancelled] = entries(calendar(path))

    assert before["uid"] == edited["uid"] == cancelled["uid"]
    assert 0 == before["sequence"] < edited["sequence"] < cancelled["sequence"]
    assert [one["status"] for one in (before, edited, cancelled)] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]


def test_series_calendar_contains_upcoming_and_cancelled_events(world: World) -> None:
    series = scheduling.make_series(world, recurrence="FREQ=WEEKLY;COUNT=5")
    first, second, *_ = scheduling.events_of(world, series["id"])
    gateway.post("manage-events", f"/events/{second['id']}/cancel", caller=world.owner)
    gateway.patch("manage-events", f"/events/{first['id']}", {"visibility": "private"}, caller=world.owner)

    found = entries(calendar(f"/series/{series['id']}/calendar.ics"))

    assert [entry["status"] for entry in found] == ["CANCELLED", "CONFIRMED", "CONFIRMED", "CONFIRMED"]
    assert len({entry["uid"] for entry in found}) == 4


def test_private_and_archived_series_have_no_public_calendar(world: World) -> None:
    private = scheduling.make_series(world, visibility="private")
    archived = scheduling.make_series(world)
    gateway.post("manage-events", f"/series/{archived['id']}/archive", caller=world.owner)

    for series in (private, archived):
        answer = calendar(f"/series/{series['id']}/calendar.ics")
        assert (answer.status, answer.body["code"]) == (404, "series_not_found")


def test_series_without_events_has_an_empty_calendar(world: World) -> None:
    series = scheduling.make_series(world, start_date=str(scheduling.day(200)))
    answer = calendar(f"/series/{series['id']}/calendar.ics")

    assert entries(answer) == []
    assert "X-WR-CALNAME:Morning yoga" in answer.text


def test_booking_calendar_contains_only_the_callers_bookings(world: World) -> None:
    mine, given_up, theirs, past = (
        scheduling.make_event(world, title=title) for title in ("Mine", "Given up", "Theirs", "Past")
    )
    booking_id = scheduling.book(world, mine["id"], world.customer, 2)
    scheduling.book(world, past["id"], world.customer)
    scheduling.book(world, theirs["id"], world.second_customer)
    cancelled_id = scheduling.book(world, given_up["id"], world.customer)
    gateway.post("cancel", f"/bookings/{cancelled_id}/cancel", caller=world.customer)
    world.db.execute("update events.events set starts_at = starts_at - interval '60 days' where id = %s", [past["id"]])

    answer = calendar("/bookings/calendar.ics", world.customer)
    found = {str(entry["summary"]): entry for entry in entries(answer)}

    assert set(found) == {"Mine", "Given up"}
    assert found["Mine"]["uid"] == f"{booking_id}@marquee.example"
    assert found["Mine"]["description"] == "2 places"
    assert (found["Mine"]["status"], found["Given up"]["status"]) == ("CONFIRMED", "CANCELLED")
    assert found["Given up"]["sequence"] > 0
    assert answer.headers["cache-control"] == "private, max-age=300"
    assert answer.headers["etag"]


def test_repeated_booking_is_a_new_calendar_entry(world: World) -> None:
    event = scheduling.make_event(world)
    first = scheduling.book(world, event["id"], world.customer)
    gateway.post("cancel", f"/bookings/{first}/cancel", caller=world.customer)
    second = scheduling.book(world, event["id"], world.customer)

    found = {entry["uid"]: entry["status"] for entry in entries(calendar("/bookings/calendar.ics", world.customer))}

    assert found == {f"{first}@marquee.example": "CANCELLED", f"{second}@marquee.example": "CONFIRMED"}


def test_unchanged_calendar_keeps_its_etag(world: World) -> None:
    series = scheduling.make_series(world)
    first, second = (calendar(f"/series/{series['id']}/calendar.ics") for _ in range(2))

    assert first.headers["etag"] == second.headers["etag"]
    assert len(entries(first)) == 18
    assert entries(first)[0].decoded("dtend") - entries(first)[0].decoded("dtstart") == timedelta(hours=1)
