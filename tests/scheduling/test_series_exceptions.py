"""Test splits and edits of a series through its routes: the phase, the count, and exceptions stay on their days."""

import random
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.kit import gateway, scheduling
from tests.kit.gateway import Answer
from tests.kit.scheduling import Database, World

WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


@pytest.fixture
def world(db: Database) -> World:
    return scheduling.world(db)


def edit(world: World, series: dict[str, Any], **body: Any) -> Answer:
    answer = gateway.patch("manage-events", f"/series/{series['id']}", body, caller=world.editor)
    assert answer.status == 200, answer.text
    return answer


def monday(weeks: int = 1) -> date:
    """Return a Monday in the future."""
    day = scheduling.day(2)
    return day + timedelta(days=-day.weekday() % 7, weeks=weeks)


def walls(world: World, *series_ids: str) -> list[datetime]:
    """Return the local starts of the scheduled events of series, in order."""
    return sorted(
        event["local_start"]
        for series_id in series_ids
        for event in scheduling.events_of(world, series_id)
        if event["status"] == "scheduled"
    )


def days(world: World, *series_ids: str) -> list[date]:
    return [wall.date() for wall in walls(world, *series_ids)]


def generate(world: World, series_id: str) -> int:
    answer = gateway.post("manage-events", f"/series/{series_id}/generate", caller=world.owner)
    made: int = answer.body["events_made"]
    return made


def test_split_at_an_added_date_keeps_the_weeks_of_the_rule(world: World) -> None:
    first = monday()
    extra = first + timedelta(days=9)
    series = scheduling.make_series(
        world,
        recurrence=f"RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO\nRDATE:{extra:%Y%m%d}T090000",
        start_date=str(first),
    )
    before = scheduling.events_of(world, series["id"])
    booked = next(event for event in before if event["local_start"].date() == first + timedelta(weeks=2))
    booking_id = scheduling.book(world, booked["id"], world.customer)
    chosen = next(event for event in before if event["local_start"].date() == extra)

    new = edit(world, series, scope="following", event_id=str(chosen["id"]), duration_minutes=75).body

    assert (new["start_date"], new["anchor_date"]) == (str(extra), str(first))
    assert days(world, series["id"], new["id"]) == [event["local_start"].date() for event in before]
    assert new["cancelled"]["bookings"] == 0
    row = world.db.execute("select event_id, status::text from events.bookings where id = %s", [booking_id]).fetchone()
    assert row == {"event_id": booked["id"], "status": "confirmed"}
    assert (generate(world, series["id"]), generate(world, new["id"])) == (0, 0)
    again = edit(
        world, new, scope="following", from_date=str(first + timedelta(weeks=3)), local_start_time="10:00"
    ).body
    assert again["anchor_date"] == str(first)
    assert days(world, series["id"], new["id"], again["id"]) == [event["local_start"].date() for event in before]


def test_split_after_the_last_counted_occurrence_adds_none(world: World) -> None:
    first = monday()
    extra = first + timedelta(weeks=5, days=1)
    series = scheduling.make_series(
        world, recurrence=f"RRULE:FREQ=WEEKLY;COUNT=3\nRDATE:{extra:%Y%m%d}T090000", start_date=str(first)
    )

    new = edit(world, series, scope="following", from_date=str(extra), local_start_time="08:00").body

    assert new["recurrence"] == f"RDATE;VALUE=DATE:{extra:%Y%m%d}"
    assert days(world, new["id"]) == [extra]
    assert len(walls(world, series["id"])) == 3


def test_start_on_a_day_without_an_occurrence_keeps_the_phase(world: World) -> None:
    first = monday()
    series = scheduling.make_series(
        world, recurrence="FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", start_date=str(first), local_start_time="09:00"
    )
    whole = days(world, series["id"])

    later = edit(world, series, scope="all", start_date=str(first + timedelta(days=9))).body

    assert later["anchor_date"] == str(first)
    assert days(world, series["id"]) == whole[1:]
    moved = edit(world, series, scope="all", start_date=str(first + timedelta(weeks=1))).body
    assert moved["anchor_date"] is None
    assert days(world, series["id"])[0] == first + timedelta(weeks=1)


@pytest.mark.parametrize("notation", ["local", "utc", "zone", "date"])
@pytest.mark.parametrize(
    "change",
    [
        {"local_start_time": "10:30"},
        {"time_zone": "Pacific/Auckland"},
        {"time_zone": "America/Los_Angeles", "local_start_time": "20:00"},
        {"recurrence": "RRULE:FREQ=WEEKLY;BYDAY=MO,TU"},
        {"recurrence": "FREQ=DAILY", "local_start_time": "10:30"},
        {"recurrence": "with dates"},
        {"recurrence": "with dates", "local_start_time": "10:30", "time_zone": "Asia/Tokyo"},
    ],
    ids="+".join,
)
def test_date_left_out_stays_out_and_added_date_stays(world: World, notation: str, change: dict[str, Any]) -> None:
    first = monday()
    out, extra = first + timedelta(weeks=2), first + timedelta(days=10)
    texts = {
        "local": f"EXDATE:{out:%Y%m%d}T090000\nRDATE:{extra:%Y%m%d}T090000",
        "utc": "\n".join(f"{name}:{utc(day)}" for name, day in (("EXDATE", out), ("RDATE", extra))),
        "zone": f"EXDATE;TZID=Europe/Zurich:{out:%Y%m%d}T090000\nRDATE;TZID=Europe/Zurich:{extra:%Y%m%d}T090000",
        "date": f"EXDATE;VALUE=DATE:{out:%Y%m%d}\nRDATE;VALUE=DATE:{extra:%Y%m%d}",
    }
    series = scheduling.make_series(
        world, recurrence=f"RRULE:FREQ=WEEKLY;BYDAY=MO\n{texts[notation]}", start_date=str(first)
    )
    booked = next(e for e in scheduling.events_of(world, series["id"]) if e["local_start"].date() == extra)
    scheduling.book(world, booked["id"], world.customer)
    if change.get("recurrence") == "with dates":
        change = {**change, "recurrence": f"RRULE:FREQ=WEEKLY;BYDAY=MO,FR\n{texts[notation]}"}

    edit(world, series, scope="all", **change)
    generate(world, series["id"])

    found = walls(world, series["id"])
    assert out not in [wall.date() for wall in found]
    assert [wall for wall in found if wall.date() == extra] == [
        datetime.combine(extra, time.fromisoformat(change.get("local_start_time", "09:00")))
    ]
    kept = world.db.execute("select status::text from events.events where id = %s", [booked["id"]]).fetchone()
    assert kept == {"status": "scheduled"}


def utc(day: date) -> str:
    moment = datetime.combine(day, time(9), ZoneInfo("Europe/Zurich")).astimezone(ZoneInfo("UTC"))
    return f"{moment:%Y%m%dT%H%M%S}Z"


def test_dates_are_removed_by_the_same_rule_without_them(world: World) -> None:
    first = monday()
    out = first + timedelta(weeks=2)
    rule = "RRULE:FREQ=WEEKLY;BYDAY=MO"
    series = scheduling.make_series(world, recurrence=f"{rule}\nEXDATE:{out:%Y%m%d}T090000", start_date=str(first))

    edited = edit(world, series, scope="all", recurrence=rule).body

    assert edited["recurrence"] == rule
    assert out in days(world, series["id"])


def test_last_day_of_a_rule_stays_its_last_day_at_a_later_time(world: World) -> None:
    first = monday()
    last = first + timedelta(weeks=4)
    series = scheduling.make_series(world, recurrence=f"FREQ=WEEKLY;UNTIL={last:%Y%m%d}T090000", start_date=str(first))

    edit(world, series, scope="all", local_start_time="10:30", time_zone="America/New_York")

    assert days(world, series["id"]) == [first + timedelta(weeks=week) for week in range(5)]


def test_one_of_several_times_left_out_stays_out_at_new_times(world: World) -> None:
    first = monday()
    out = first + timedelta(days=3)
    rule = "RRULE:FREQ=DAILY;BYHOUR={};COUNT=30"
    dates = f"\nEXDATE:{out:%Y%m%d}T120000"
    series = scheduling.make_series(world, recurrence=rule.format("9,12,15") + dates, start_date=str(first))

    edit(world, series, scope="all", recurrence=rule.format("10,13,16") + dates)

    assert [wall.hour for wall in walls(world, series["id"]) if wall.date() == out] == [10, 16]


def test_times_of_a_day_move_in_their_order_when_earlier_ones_have_no_events(world: World) -> None:
    """Move the events of a day whose first occurrence was past when the series was created."""
    first = monday()
    series = scheduling.make_series(world, recurrence="FREQ=DAILY;BYHOUR=9,12,15;COUNT=9", start_date=str(first))
    of_day = scheduling.events_of(world, series["id"])[:3]
    world.db.execute("delete from events.events where id = %s", [of_day[0]["id"]])
    world.db.execute("delete from events.occurrences where event_id = %s", [of_day[0]["id"]])

    edit(world, series, scope="all", recurrence="FREQ=DAILY;BYHOUR=10,13,16;COUNT=9")

    after = {event["id"]: event["local_start"].hour for event in scheduling.events_of(world, series["id"])}
    assert [after[event["id"]] for event in of_day[1:]] == [13, 16]


HOURS = [[9, 12, 15], [9, 15], [10, 16], [10, 13, 16], [12], [8, 10, 14], [9], [12, 18], [12, 15, 18]]


@pytest.mark.parametrize("kind", ["cancelled", "detached", "excluded"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_exception_keeps_its_slot_of_the_day_over_any_rules(world: World, place: int, kind: str) -> None:
    """Change the times of a day again and again: with all three slots there, the exception has the same place."""
    first = monday()
    draw = random.Random(f"{place} {kind}")
    rule = "RRULE:FREQ=DAILY;BYHOUR={}"
    series = scheduling.make_series(
        world, recurrence=rule.format("9,12,15"), start_date=str(first), end_date=str(first + timedelta(days=3))
    )
    event = scheduling.events_of(world, series["id"])[3 + place]
    day = event["local_start"].date()
    if kind == "cancelled":
        gateway.post("manage-events", f"/events/{event['id']}/cancel", caller=world.owner)
    if kind == "detached":
        gateway.patch("manage-events", f"/events/{event['id']}", {"title": "Special"}, caller=world.owner)
    if kind == "excluded":
        out = f"EXDATE:{event['local_start']:%Y%m%dT%H%M%S}"
        edit(world, series, scope="all", recurrence=f"{rule.format('9,12,15')}\n{out}")

    path = [[9, 12, 15]]
    while len(path) < 12:
        path.append(draw.choice([hours for hours in HOURS if hours != path[-1]]))
    for hours in path[1:]:
        edit(world, series, scope="all", recurrence=rule.format(",".join(map(str, hours))), confirm=True)
        edit(world, series, scope="all", duration_minutes=draw.randint(30, 45))
        if len(hours) < 3:
            continue
        assert generate(world, series["id"]) == 0
        live = [
            wall.hour
            for one in scheduling.events_of(world, series["id"])
            if (wall := one["local_start"]).date() == day and one["status"] == "scheduled" and one["id"] != event["id"]
        ]
        assert len(live) == 2, path[: path.index(hours) + 1]


@pytest.mark.parametrize("seed", range(12))
def test_split_of_a_series_with_exceptions_changes_no_occurrence(world: World, seed: int) -> None:
    """Cancel and move events, leave dates out and add some, split at any date, and compare with the whole."""
    draw = random.Random(seed)
    first = scheduling.day(draw.randint(2, 9))
    zone = draw.choice(["Europe/Zurich", "America/New_York", "Pacific/Auckland", "Pacific/Pago_Pago"])
    weekdays = ",".join(draw.sample(WEEKDAYS, draw.randint(1, 3)))
    rule = draw.choice(
        [
            f"FREQ=WEEKLY;INTERVAL=2;BYDAY={weekdays};WKST={draw.choice(WEEKDAYS)}",
            f"FREQ=WEEKLY;INTERVAL=3;BYDAY={weekdays};COUNT={draw.randint(8, 12)}",
            f"FREQ=WEEKLY;BYDAY={weekdays},SU,MO;BYSETPOS=1,-1",
            "FREQ=WEEKLY;INTERVAL=2",
            f"FREQ=DAILY;INTERVAL={draw.randint(2, 6)}",
            f"FREQ=DAILY;INTERVAL=3;BYHOUR=9,17;COUNT={draw.randint(20, 30)}",
            "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=1,10,20,-1",
            f"FREQ=MONTHLY;BYDAY={weekdays};BYSETPOS=2,-1",
            f"FREQ=YEARLY;BYDAY=10{WEEKDAYS[draw.randint(0, 6)]},12MO,45TU,50FR,2SA",
        ]
    )
    dates = [first + timedelta(days=number) for number in draw.sample(range(3, 100), 4)]
    lines = [f"RRULE:{rule}", "RDATE:" + ",".join(f"{day:%Y%m%d}T090000" for day in dates)]
    lines.append("EXDATE;VALUE=DATE:" + ",".join(f"{day:%Y%m%d}" for day in dates[:1]))
    series = scheduling.make_series(world, recurrence="\n".join(lines), start_date=str(first), time_zone=zone)
    events = scheduling.events_of(world, series["id"])
    cancelled, moved, booked = draw.sample(events[:-1], 3)
    gateway.post("manage-events", f"/events/{cancelled['id']}/cancel", caller=world.owner)
    new_start = moved["starts_at"] + timedelta(days=1, minutes=5)
    times = {"starts_at": new_start.isoformat(), "ends_at": (new_start + timedelta(hours=1)).isoformat()}
    assert gateway.patch("manage-events", f"/events/{moved['id']}", times, caller=world.owner).status == 200
    scheduling.book(world, booked["id"], world.customer)
    whole = programme(world, series["id"])
    cut = draw.choice(events[1:])

    new = edit(world, series, scope="following", event_id=str(cut["id"]), local_start_time="11:00").body

    assert programme(world, series["id"], new["id"]) == whole
    assert (generate(world, series["id"]), generate(world, new["id"])) == (0, 0)
    own = [
        event for event in scheduling.events_of(world, new["id"]) if event["id"] not in (cancelled["id"], moved["id"])
    ]
    assert "BYHOUR" in rule or {event["local_start"].time() for event in own} <= {time(11)}


def programme(world: World, *series_ids: str) -> set[tuple[Any, ...]]:
    """Return the events of series by id with the day of their occurrence and their status."""
    rows = [row for series_id in series_ids for row in scheduling.events_of(world, series_id)]
    return {(row["id"], row["by_the_rule"].date(), row["status"]) for row in rows}
