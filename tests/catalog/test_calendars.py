"""Calendars: an RFC 5545 library reads them back, and strict parts of the format are compared byte by byte."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from icalendar import Calendar

from tests.kit import gateway, routines, scheduling
from tests.kit.concurrency import InBackground, wait_for_a_lock
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


def split(world: World, series: dict[str, Any], number: int, **changes: Any) -> dict[str, Any]:
    """Split a series at its event with this number and return the new series."""
    event = scheduling.events_of(world, series["id"])[number]
    body = {"scope": "following", "event_id": str(event["id"]), **changes}
    answer = gateway.patch("manage-events", f"/series/{series['id']}", body, caller=world.owner)
    assert answer.status == 200, answer.text
    new: dict[str, Any] = answer.body
    return new


def test_public_addresses_of_a_series_follow_all_its_splits(world: World) -> None:
    series = scheduling.make_series(world, recurrence="FREQ=WEEKLY;COUNT=12")
    other = scheduling.make_series(world, recurrence="FREQ=WEEKLY;COUNT=3")
    middle = split(world, series, 8, title="Morning flow")
    first_half = split(world, series, 4, title="Slow yoga")
    last = split(world, middle, 2, title="Deep flow")
    family = [series, first_half, middle, last]
    expected = sorted(str(event["id"]) for one in family for event in scheduling.events_of(world, one["id"]))
    assert len(expected) == 12

    for one in family:
        found = entries(calendar(f"/series/{one['id']}/calendar.ics"))
        listed = gateway.get("catalog", "/events", query={"series_id": one["id"], "limit": "50"})
        assert sorted(entry["uid"].removesuffix("@marquee.example") for entry in found) == expected
        assert sorted(event["id"] for event in listed.body["items"]) == expected
    alone = gateway.get("catalog", "/events", query={"series_id": other["id"]})
    assert len(alone.body["items"]) == 3
    assert "X-WR-CALNAME:Morning yoga" in calendar(f"/series/{series['id']}/calendar.ics").text


def test_calendar_of_a_series_outlives_its_archive_and_hides_private_parts(world: World) -> None:
    series = scheduling.make_series(world, recurrence="FREQ=WEEKLY;COUNT=12")
    hidden = split(world, series, 4, visibility="private", title="Members only")
    public = split(world, hidden, 4, visibility="public", title="Evening yoga")
    gateway.post("manage-events", f"/series/{series['id']}/archive", caller=world.owner)

    answer = calendar(f"/series/{series['id']}/calendar.ics")

    shown = {event["id"] for event in scheduling.events_of(world, public["id"])}
    assert {UUID(entry["uid"].removesuffix("@marquee.example")) for entry in entries(answer)} == shown
    assert "X-WR-CALNAME:Evening yoga" in answer.text
    assert "Members only" not in answer.text


def test_sequence_grows_with_each_change_within_one_second(world: World) -> None:
    event = scheduling.make_event(world)
    path = f"/events/{event['id']}/calendar.ics"
    sequences = [entries(calendar(path))[0]["sequence"]]
    with world.db.transaction():  # all in one transaction have one time
        for number in range(4):
            world.db.execute("update events.events set title = %s, updated_at = now()", [f"Title {number}"])
            row = world.db.execute("select sequence from events.calendar_entries").fetchone()
            sequences.append(row["sequence"])
    sequences.append(entries(calendar(path))[0]["sequence"])

    assert sequences == [0, 1, 2, 3, 4, 4]


def test_sequence_of_an_event_from_before_the_counter_never_falls(world: World) -> None:
    event = scheduling.make_event(world)
    world.db.execute("alter table events.events disable trigger count_changes")
    world.db.execute("update events.events set created_at = now() - interval '90 seconds', updated_at = now()")
    world.db.execute("alter table events.events enable trigger count_changes")
    path = f"/events/{event['id']}/calendar.ics"
    [before] = entries(calendar(path))
    # The clock of this server is behind that of the former one.
    world.db.execute("update events.events set title = 'New', updated_at = created_at + interval '1 second'")
    [after] = entries(calendar(path))

    assert (before["sequence"], after["sequence"]) == (90, 91)


def test_sequence_of_a_booking_grows_with_the_event_and_with_the_booking(world: World) -> None:
    event = scheduling.make_event(world)
    booking_id = scheduling.book(world, event["id"], world.customer)

    def sequence() -> int:
        [entry] = entries(calendar("/bookings/calendar.ics", world.customer))
        return int(entry["sequence"])

    sequences = [sequence()]
    for status in ("cancelled", "confirmed", "cancelled"):
        world.db.execute("update events.events set title = title || '.', updated_at = created_at")
        sequences.append(sequence())
        world.db.execute("alter table events.bookings disable trigger enforce_transition")
        world.db.execute(
            "update events.bookings set status = %s, cancelled_at = case when %s = 'cancelled' then created_at end"
            " where id = %s",
            [status, status, booking_id],
        )
        sequences.append(sequence())

    assert sequences == [0, 1, 2, 3, 4, 5, 6]


RENAMES = [
    "update organizations.locations set name = name || '.'",
    "update organizations.locations set address = address || '.'",
    "update organizations.locations set city = city || '.'",
    "update organizations.instructors set name = name || '.'",
    "update organizations.organizations set name = name || '.'",
]


def sequences_of(world: World) -> list[int]:
    """Return the sequences of all entries, those of events and those of bookings."""
    rows = world.db.execute(
        "select c.sequence from (select event_id, sequence from events.calendar_entries"
        " union all select booking_id, sequence from events.booking_calendar_entries) as c (id, sequence) order by c.id"
    ).fetchall()
    return [row["sequence"] for row in rows]


@pytest.mark.parametrize("rename", RENAMES)
@pytest.mark.parametrize("is_cancelled", [False, True], ids=["booked", "cancelled before the counter"])
def test_sequence_grows_when_a_shown_name_or_address_changes(world: World, rename: str, is_cancelled: bool) -> None:
    event = scheduling.make_event(world, location_id=str(world.location_id), instructor_id=str(world.instructor_id))
    scheduling.book(world, event["id"], world.customer)
    if is_cancelled:
        world.db.execute("alter table events.bookings disable trigger count_changes")
        world.db.execute("update events.bookings set status = 'cancelled', cancelled_at = now() + interval '9 seconds'")
        world.db.execute("alter table events.bookings enable trigger count_changes")
    before = sequences_of(world)

    for _ in range(3):
        world.db.execute(rename)
        after = sequences_of(world)
        assert all(new > old for old, new in zip(before, after, strict=True))
        before = after
    world.db.execute("update organizations.locations set name = name, country = 'DE', time_zone = 'Europe/Berlin'")
    world.db.execute("update organizations.instructors set bio = 'New'")
    assert sequences_of(world) == before


def test_sequence_grows_when_an_event_gets_a_place_that_changed_less_often(world: World) -> None:
    event = scheduling.make_event(world, location_id=str(world.location_id), instructor_id=str(world.instructor_id))
    other = world.db.execute(
        "insert into organizations.locations (organization_id, name, city, country, time_zone)"
        " values (%s, 'Other', 'Zurich', 'CH', 'Europe/Zurich') returning id",
        [world.organization_id],
    ).fetchone()
    assert other is not None
    found = [sequences_of(world)]
    steps = [*RENAMES, *RENAMES]
    for changes in ({"location_id": str(other["id"])}, {"instructor_id": None}, {"location_id": None}):
        for rename in steps:
            world.db.execute(rename)
        found.append(sequences_of(world))
        answer = gateway.patch("manage-events", f"/events/{event['id']}", changes, caller=world.owner)
        assert answer.status == 200, answer.text
        found.append(sequences_of(world))

    assert found == sorted(found)
    assert len({tuple(one) for one in found}) == len(found)


def test_sequence_grows_when_a_place_is_renamed_while_the_event_leaves_it(world: World, connect: Any) -> None:
    event = scheduling.make_event(world, location_id=str(world.location_id))
    rival = connect(autocommit=False)
    rival.execute(RENAMES[0])

    late = InBackground(
        lambda: gateway.patch("manage-events", f"/events/{event['id']}", {"location_id": None}, caller=world.owner)
    )
    wait_for_a_lock(world.db, "%events.update_event%")
    rival.commit()
    renamed = 1

    assert late.got().status == 200
    assert sequences_of(world) == [renamed + 1]


def test_sequence_of_a_booking_from_before_the_counter_grows_when_it_is_reinstated(world: World) -> None:
    event = scheduling.make_event(world)
    booking_id = scheduling.book(world, event["id"], world.customer)
    world.db.execute("alter table events.bookings disable trigger user")
    world.db.execute("update events.bookings set status = 'cancelled', cancelled_at = created_at + interval '1 hour'")
    world.db.execute("alter table events.bookings enable trigger user")
    world.db.execute("alter table events.bookings disable trigger enforce_transition")
    before = sequences_of(world)

    world.db.execute("update events.bookings set status = 'confirmed' where id = %s", [booking_id])

    assert max(sequences_of(world)) == max(before) + 1 > 3600


def secret_path(url: str) -> str:
    """Return the path of a secret address below the API's."""
    return url[url.index("/calendars/") :]


def create_address(world: World) -> str:
    """Create a secret address for the customer and return its path."""
    answer = gateway.post("profile", "/profile/calendar", caller=world.customer)
    assert answer.status == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return secret_path(answer.body["url"])


def test_secret_address_shows_the_bookings_of_its_owner_without_a_token(world: World) -> None:
    hidden = scheduling.make_event(world, title="Mine")
    booking_id = scheduling.book(world, hidden["id"], world.customer)
    world.db.execute("update events.events set visibility = 'private'")
    other = scheduling.make_event(world, title="Theirs")
    scheduling.book(world, other["id"], world.second_customer)

    path = create_address(world)
    answer = calendar(path)

    [entry] = entries(answer)
    assert (entry["uid"], str(entry["summary"])) == (f"{booking_id}@marquee.example", "Mine")
    assert answer.headers["cache-control"] == "private, max-age=300"
    assert answer.text == calendar("/bookings/calendar.ics", world.customer).text
    assert gateway.get("catalog", path, headers={"If-None-Match": answer.headers["etag"]}).status == 304
    assert world.db.execute("select count(*) as n from ops.access_log").fetchone()["n"] == 0


def test_only_the_hash_of_a_secret_address_is_stored(world: World) -> None:
    secret = create_address(world).split("/")[2]

    rows = world.db.execute("select user_id, secret_hash from users.calendar_addresses").fetchall()

    assert len(secret) == 43
    assert rows == [{"user_id": world.customer, "secret_hash": hashlib.sha256(secret.encode()).digest()}]


def test_secret_address_ends_when_it_is_replaced_or_revoked_or_its_owner_erased(world: World) -> None:
    first = create_address(world)
    second = create_address(world)
    assert (calendar(first).status, calendar(second).status) == (404, 200)
    assert calendar(first).body["code"] == "calendar_not_found"

    for _ in range(2):
        assert gateway.delete("profile", "/profile/calendar", caller=world.customer).status == 204
        assert calendar(second).status == 404

    third = create_address(world)
    routines.call(world.db, world.customer, "select users.erase_profile(%s)", [world.customer])
    assert calendar(third).status == 404
    assert world.db.execute("select count(*) as n from users.calendar_addresses").fetchone()["n"] == 0


@pytest.mark.parametrize("secret", ["x", "A" * 43, "%2e%2e", "A" * 100])
def test_unknown_secret_address_is_not_found(world: World, secret: str) -> None:
    create_address(world)

    answer = calendar(f"/calendars/{secret}/bookings.ics")

    assert (answer.status, answer.body["code"]) == (404, "calendar_not_found")


def test_secret_address_names_the_api_as_the_client_called_it(world: World) -> None:
    event = gateway.event("POST", "/profile/calendar", caller=world.customer)
    event["headers"] = {"Host": "abc.execute-api.eu-central-1.amazonaws.com", "X-Forwarded-Proto": "https"}
    event["requestContext"]["path"] = "/v1/profile/calendar"

    body = json.loads(gateway.invoke("profile", event)["body"])

    assert body["url"].startswith("https://abc.execute-api.eu-central-1.amazonaws.com/v1/calendars/")
