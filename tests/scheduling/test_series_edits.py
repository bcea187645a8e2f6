"""Test edits of a series in the three scopes: moved, kept and deleted events, and notified customers."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from tests.kit import gateway, scheduling
from tests.kit.gateway import Answer
from tests.kit.scheduling import Database, World

ZURICH = ZoneInfo("Europe/Zurich")


@pytest.fixture
def world(db: Database) -> World:
    return scheduling.world(db)


def edit(world: World, series: dict[str, Any], **body: Any) -> Answer:
    return gateway.patch("manage-events", f"/series/{series['id']}", body, caller=world.editor)


def walls(world: World, series_id: str) -> list[datetime]:
    return [event["local_start"] for event in scheduling.events_of(world, series_id) if event["status"] == "scheduled"]


def test_edit_of_all_copies_changed_fields_to_future_events(world: World) -> None:
    series = scheduling.make_series(world)
    first, second, *_ = scheduling.events_of(world, series["id"])
    scheduling.book(world, second["id"], world.customer, 3)

    answer = edit(
        world, series, scope="all", title="Evening yoga", price_cents=1500, capacity=20,
        instructor_id=str(world.instructor_id), policy_id=str(world.policy_id),
    )  # fmt: skip

    assert (answer.status, answer.body["title"], answer.body["capacity"]) == (200, "Evening yoga", 20)
    events = scheduling.events_of(world, series["id"])
    assert [event["id"] for event in events][:2] == [first["id"], second["id"]]
    assert {(event["title"], event["price_cents"], event["capacity"]) for event in events} == {
        ("Evening yoga", 1500, 20)
    }
    assert {event["policy"]["late_fee_cents"] for event in events} == {1000}
    assert [event["taken"] for event in events][:2] == [0, 3]
    assert not any(event["detached"] for event in events)


def test_started_event_is_never_changed(world: World) -> None:
    series = scheduling.make_series(world, recurrence="FREQ=DAILY")
    past = scheduling.events_of(world, series["id"])[0]
    world.db.execute("update events.events set starts_at = now() - interval '1 minute' where id = %s", [past["id"]])
    before = world.db.execute("select * from events.events where id = %s", [past["id"]]).fetchone()

    other_weekday = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"][scheduling.day(3).weekday()]
    elsewhere = {"recurrence": f"FREQ=WEEKLY;BYDAY={other_weekday}"}
    for change in ({"title": "New"}, {"local_start_time": "11:11"}, {"capacity": 1}, elsewhere):
        assert edit(world, series, scope="all", **change).status == 200
    gateway.post("manage-events", f"/series/{series['id']}/archive", caller=world.owner)

    assert world.db.execute("select * from events.events where id = %s", [past["id"]]).fetchone() == before


def test_new_time_moves_events_with_their_bookings(world: World) -> None:
    series = scheduling.make_series(world, recurrence="FREQ=DAILY")
    before = scheduling.events_of(world, series["id"])
    booked = before[40]
    booking_id = scheduling.book(world, booked["id"], world.customer)
    scheduling.topics(world)

    answer = edit(world, series, scope="all", local_start_time="18:30", duration_minutes=90)

    assert answer.status == 200
    after = scheduling.events_of(world, series["id"])
    assert [event["id"] for event in after] == [event["id"] for event in before]
    assert [event["local_start"] for event in after] == [
        datetime.combine(event["local_start"].date(), datetime.strptime("18:30", "%H:%M").time()) for event in before
    ]
    assert {event["ends_at"] - event["starts_at"] for event in after} == {timedelta(minutes=90)}
    assert [event["by_the_rule"] for event in after] == [event["local_start"] for event in after]
    assert after[40]["taken"] == 1
    row = world.db.execute("select event_id, status::text from events.bookings where id = %s", [booking_id]).fetchone()
    assert row == {"event_id": booked["id"], "status": "confirmed"}
    assert scheduling.topics(world) == [("event.changed", world.customer)]
    again = gateway.post("manage-events", f"/series/{series['id']}/generate", caller=world.owner)
    assert again.body["events_made"] == 0


def test_event_moved_to_the_next_month_moves_to_its_partition(world: World) -> None:
    """Move the event's terms, inventory and bookings with it."""
    series = scheduling.make_series(world, recurrence="FREQ=DAILY", local_start_time="23:30", time_zone="UTC")
    last = next(
        event
        for event in scheduling.events_of(world, series["id"])
        if (event["local_start"] + timedelta(days=1)).day == 1
    )
    scheduling.book(world, last["id"], world.customer)

    moved = edit(world, series, scope="all", time_zone="America/New_York", local_start_time="23:30")

    assert moved.status == 200
    row = world.db.execute(
        """
        select e.tableoid::regclass::text as partition, e.starts_at = t.starts_at as agree, i.taken::integer
        from events.events as e
        inner join events.terms as t on t.event_id = e.id
        inner join events.inventory as i on i.event_id = e.id
        where e.id = %s
        """,
        [last["id"]],
    ).fetchone()
    following = (last["local_start"] + timedelta(days=1)).strftime("%Y_%m")
    assert row == {"partition": f"events.events_{following}", "agree": True, "taken": 1}


def test_events_outside_the_new_rule_are_deleted_or_cancelled(world: World) -> None:
    series = scheduling.make_series(world, recurrence="FREQ=WEEKLY;BYDAY=MO,TH")
    thursdays = [event for event in scheduling.events_of(world, series["id"]) if event["local_start"].weekday() == 3]
    booked, waited, once_booked = thursdays[2:5]
    scheduling.book(world, booked["id"], world.customer)
    scheduling.book(world, waited["id"], world.customer, 12)
    scheduling.wait(world, waited["id"], world.second_customer)
    scheduling.book(world, once_booked["id"], world.customer)
    world.db.execute(
        "update events.bookings set status = 'cancelled', cancelled_at = now() where event_id = %s", [once_booked["id"]]
    )
    scheduling.topics(world)

    answer = edit(world, series, scope="all", recurrence="FREQ=WEEKLY;BYDAY=MO", confirm=True)

    assert answer.status == 200
    left = scheduling.events_of(world, series["id"])
    assert {event["local_start"].weekday() for event in left if event["status"] == "scheduled"} == {0}
    cancelled = [(event["id"], event["taken"], event["waitlisted"]) for event in left if event["status"] == "cancelled"]
    assert cancelled == [(event["id"], 0, 0) for event in (booked, waited, once_booked)]
    assert sorted(scheduling.topics(world), key=str) == sorted(
        [
            ("booking.cancelled", world.customer),
            ("booking.cancelled", world.customer),
            ("waitlist.expired", world.second_customer),
            *[("event.cancelled", None)] * 3,
        ],
        key=str,
    )


def test_new_rule_adds_missing_events(world: World) -> None:
    series = scheduling.make_series(world, recurrence="FREQ=WEEKLY;BYDAY=MO")
    mondays = scheduling.events_of(world, series["id"])

    edit(world, series, scope="all", recurrence="FREQ=WEEKLY;BYDAY=MO,WE")

    events = scheduling.events_of(world, series["id"])
    assert {event["id"] for event in mondays} < {event["id"] for event in events}
    assert {event["local_start"].weekday() for event in events} == {0, 2}
    assert abs(len(events) - 2 * len(mondays)) <= 1


def test_events_twice_a_day_can_move_to_overlapping_times(world: World) -> None:
    series = scheduling.make_series(world, recurrence="FREQ=DAILY;BYHOUR=9,10;COUNT=20")
    before = scheduling.events_of(world, series["id"])

    answer = edit(world, series, scope="all", recurrence="FREQ=DAILY;BYHOUR=10,11;COUNT=20")

    assert answer.status == 200
    after = scheduling.events_of(world, series["id"])
    assert {event["local_start"].hour for event in after} == {10, 11}
    at_ten = [event["id"] for event in before if event["local_start"].hour == 10]
    assert [event["id"] for event in after if event["local_start"].hour == 10] == at_ten
    assert {event["id"] for event in after} == {event["id"] for event in before}


def test_detached_event_ignores_edits_of_its_series(world: World) -> None:
    series = scheduling.make_series(world)
    _, chosen, *_ = scheduling.events_of(world, series["id"])

    one = edit(world, series, scope="this", event_id=str(chosen["id"]), title="With a guest", local_start_time="20:00")
    everything = edit(world, series, scope="all", title="Other", local_start_time="10:00", recurrence="FREQ=DAILY")
    again = gateway.post("manage-events", f"/series/{series['id']}/generate", caller=world.owner)

    assert (one.status, everything.status, again.body["events_made"]) == (200, 200, 0)
    events = scheduling.events_of(world, series["id"])
    alone = [event for event in events if event["detached"]]
    assert [(event["id"], event["title"]) for event in alone] == [(chosen["id"], "With a guest")]
    assert alone[0]["local_start"] == datetime.combine(
        chosen["local_start"].date(), datetime.strptime("20", "%H").time()
    )
    same_day = [event for event in events if event["local_start"].date() == chosen["local_start"].date()]
    assert same_day == alone
    assert {event["title"] for event in events if not event["detached"]} == {"Other"}


def test_detached_event_stays_on_a_day_outside_the_new_rule(world: World) -> None:
    series = scheduling.make_series(world, recurrence="FREQ=WEEKLY;BYDAY=MO,TH")
    thursday = next(e for e in scheduling.events_of(world, series["id"]) if e["local_start"].weekday() == 3)
    edit(world, series, scope="this", event_id=str(thursday["id"]), title="With a guest")

    edit(world, series, scope="all", recurrence="FREQ=WEEKLY;BYDAY=MO")

    left = [e for e in scheduling.events_of(world, series["id"]) if e["local_start"].weekday() == 3]
    assert [(event["id"], event["status"], event["title"]) for event in left] == [
        (thursday["id"], "scheduled", "With a guest")
    ]


def test_scope_this_edits_one_event_only(world: World) -> None:
    series = scheduling.make_series(world)
    first, *others = scheduling.events_of(world, series["id"])

    answer = edit(world, series, scope="this", event_id=str(first["id"]), capacity=3, duration_minutes=30)

    assert (answer.status, answer.body["capacity"]) == (200, 12)
    changed, *rest = scheduling.events_of(world, series["id"])
    assert (changed["capacity"], changed["detached"]) == (3, True)
    assert changed["ends_at"] - changed["starts_at"] == timedelta(minutes=30)
    assert rest == others


def test_scope_following_splits_the_series(world: World) -> None:
    series = scheduling.make_series(world, recurrence="FREQ=WEEKLY;COUNT=10")
    before = scheduling.events_of(world, series["id"])
    fourth = before[3]
    scheduling.book(world, fourth["id"], world.customer)

    answer = edit(
        world, series, scope="following", event_id=str(fourth["id"]), title="New name", local_start_time="19:00"
    )

    assert answer.status == 200
    new = answer.body
    assert new["id"] != series["id"]
    assert new["continues_series_id"] == series["id"]
    assert new["recurrence"] == "RRULE:FREQ=WEEKLY;COUNT=7"
    assert date.fromisoformat(new["start_date"]) == fourth["local_start"].date()
    old = gateway.get("manage-events", f"/series/{series['id']}", caller=world.owner).body
    assert date.fromisoformat(old["end_date"]) == fourth["local_start"].date() - timedelta(days=1)
    assert (old["title"], old["recurrence"]) == ("Morning yoga", "RRULE:FREQ=WEEKLY;COUNT=10")
    assert [event["id"] for event in scheduling.events_of(world, series["id"])] == [event["id"] for event in before[:3]]
    after = scheduling.events_of(world, new["id"])
    assert [event["id"] for event in after] == [event["id"] for event in before[3:]]
    assert {(event["title"], event["local_start"].hour) for event in after} == {("New name", 19)}
    assert after[0]["taken"] == 1
    for series_id in (series["id"], new["id"]):
        made = gateway.post("manage-events", f"/series/{series_id}/generate", caller=world.owner)
        assert made.body["events_made"] == 0


def test_scope_following_from_the_first_event_edits_the_whole_series(world: World) -> None:
    series = scheduling.make_series(world)

    answer = edit(world, series, scope="following", from_date=series["start_date"], title="New name")

    assert (answer.status, answer.body["id"], answer.body["title"]) == (200, series["id"], "New name")


def test_scope_following_accepts_a_new_rule(world: World) -> None:
    series = scheduling.make_series(world, recurrence="FREQ=WEEKLY;BYDAY=MO")
    before = scheduling.events_of(world, series["id"])
    from_date = before[5]["local_start"].date()

    answer = edit(world, series, scope="following", from_date=str(from_date), recurrence="FREQ=WEEKLY;BYDAY=TU")

    assert answer.status == 200
    assert len(scheduling.events_of(world, series["id"])) == 5
    assert {wall.weekday() for wall in walls(world, answer.body["id"])} == {1}
    assert min(walls(world, answer.body["id"])).date() == from_date + timedelta(days=1)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"scope": "this", "title": "x"}, ["body"]),
        ({"scope": "following", "title": "x"}, ["body"]),
        ({"scope": "following", "title": "x", "event_id": str(uuid4()), "from_date": "2030-01-01"}, ["body"]),
        ({"scope": "past", "title": "x"}, ["body", "scope"]),
        ({"title": "x"}, ["body", "scope"]),
        ({"scope": "all", "title": None}, ["body", "title"]),
        ({"scope": "all", "recurrence": "FREQ=HOURLY"}, ["body", "recurrence"]),
        ({"scope": "all", "end_date": "1999-01-01"}, ["body", "end_date"]),
        ({"scope": "all", "time_zone": "Mars/Olympus"}, ["body", "time_zone"]),
        ({"scope": "all", "instructor_id": str(uuid4())}, ["body", "instructor_id"]),
        ({"scope": "all", "event_id": str(uuid4()), "title": "Mine"}, ["body"]),
        ({"scope": "all", "from_date": "2030-01-01", "title": "Later"}, ["body"]),
        ({"scope": "this", "event_id": str(uuid4()), "from_date": "2030-01-01"}, ["body"]),
        ({"scope": "following", "from_date": "2020-01-01"}, ["body", "from_date"]),
        ({"scope": "following", "from_date": "2199-12-31"}, ["body", "from_date"]),
        ({"scope": "all", "start_date": "2199-12-31"}, ["body", "start_date"]),
        ({"scope": "following", "from_date": "2199-12-31", "start_date": "2199-12-31"}, ["body", "start_date"]),
    ],
)
def test_invalid_edit_is_refused_with_its_field(world: World, body: dict[str, Any], place: list[str]) -> None:
    series = scheduling.make_series(world)
    answer = edit(world, series, **body)

    assert (answer.status, answer.body["code"]) == (422, "invalid_request")
    assert answer.body["errors"][0]["path"] == place


def test_scope_this_refuses_series_fields_and_events_of_another_series(world: World) -> None:
    series, other = scheduling.make_series(world), scheduling.make_series(world)
    mine, theirs = scheduling.events_of(world, series["id"])[0], scheduling.events_of(world, other["id"])[0]

    whole = edit(world, series, scope="this", event_id=str(mine["id"]), recurrence="FREQ=DAILY")
    strange = edit(world, series, scope="this", event_id=str(theirs["id"]), title="x")

    assert (whole.status, whole.body["errors"][0]["path"]) == (422, ["body", "recurrence"])
    assert (strange.status, strange.body["code"]) == (404, "event_not_found")


def test_capacity_below_the_sold_seats_of_one_event_changes_nothing(world: World) -> None:
    """Repeat a fault of an earlier system: the capacity was lowered below the sold seats."""
    series = scheduling.make_series(world)
    fifth = scheduling.events_of(world, series["id"])[4]
    scheduling.book(world, fifth["id"], world.customer, 6)

    answer = edit(world, series, scope="all", capacity=5, title="Smaller")

    assert (answer.status, answer.body["code"]) == (409, "capacity_below_sold")
    assert [one["event_id"] for one in answer.body["events"]] == [str(fifth["id"])]
    assert {(event["capacity"], event["title"]) for event in scheduling.events_of(world, series["id"])} == {
        (12, "Morning yoga")
    }


def test_customers_are_notified_once_of_a_new_location(world: World) -> None:
    series = scheduling.make_series(world)
    first, second, *_ = scheduling.events_of(world, series["id"])
    scheduling.book(world, first["id"], world.customer)
    scheduling.book(world, second["id"], world.customer, 12)
    scheduling.wait(world, second["id"], world.second_customer)
    scheduling.topics(world)

    edit(world, series, scope="all", location_id=str(world.location_id))

    assert sorted(scheduling.topics(world), key=str) == sorted(
        [
            ("event.changed", world.customer),
            ("event.changed", world.customer),
            ("event.changed", world.second_customer),
        ],
        key=str,
    )


def test_cancelled_event_is_not_generated_again(world: World) -> None:
    series = scheduling.make_series(world, recurrence="FREQ=DAILY")
    event = scheduling.events_of(world, series["id"])[3]
    gateway.post("manage-events", f"/events/{event['id']}/cancel", caller=world.owner)

    gateway.post("manage-events", f"/series/{series['id']}/generate", caller=world.owner)
    edit(world, series, scope="all", local_start_time="10:00")
    gateway.post("manage-events", f"/series/{series['id']}/generate", caller=world.owner)

    same_day = [
        one
        for one in scheduling.events_of(world, series["id"])
        if one["local_start"].date() == event["local_start"].date()
    ]
    assert [(one["id"], one["status"]) for one in same_day] == [(event["id"], "cancelled")]


def test_edit_of_a_paused_series_adds_events_when_it_is_resumed(world: World) -> None:
    series = scheduling.make_series(world, recurrence="FREQ=WEEKLY;BYDAY=MO")
    gateway.post("manage-events", f"/series/{series['id']}/pause", caller=world.owner)

    edit(world, series, scope="all", recurrence="FREQ=WEEKLY;BYDAY=MO,TU")
    while_paused = {wall.weekday() for wall in walls(world, series["id"])}
    gateway.post("manage-events", f"/series/{series['id']}/resume", caller=world.owner)

    assert while_paused == {0}
    assert {wall.weekday() for wall in walls(world, series["id"])} == {0, 1}


def test_edit_of_all_keeps_the_local_time_across_dst(world: World) -> None:
    series = scheduling.make_series(world, recurrence="FREQ=DAILY")
    edit(world, series, scope="all", local_start_time="07:15")

    events = scheduling.events_of(world, series["id"])
    assert {event["starts_at"].astimezone(ZURICH).strftime("%H:%M") for event in events} == {"07:15"}
    assert all(event["starts_at"] > datetime.now(UTC) for event in events)


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        ({}, ["ends_at", "starts_at"]),
        ({"location_id": True}, ["ends_at", "location_id", "starts_at"]),
        ({"location_id": True, "instructor_id": None}, ["ends_at", "location_id", "starts_at"]),
    ],
)
def test_one_edit_sends_one_message_to_each_person(world: World, change: dict[str, Any], changed: list[str]) -> None:
    series = scheduling.make_series(world, instructor_id=str(world.instructor_id))
    scheduling.book(world, scheduling.events_of(world, series["id"])[2]["id"], world.customer)
    world.db.execute("delete from public.outbox")
    if "location_id" in change:
        change = {**change, "location_id": str(world.location_id)}

    assert edit(world, series, scope="all", local_start_time="10:30", **change).status == 200

    sent = world.db.execute("select topic, payload from public.outbox order by id").fetchall()
    [told] = [row["payload"] for row in sent if row["topic"] == "event.changed"]
    assert [name for name in sorted(told["changed"]) if name != "instructor_id"] == changed
    assert told["location_id"] == change.get("location_id")
    [duty] = [row["payload"]["duty"] for row in sent if row["topic"] == "event.lead_changed"]
    assert duty == ("released" if "instructor_id" in change else "changed")


def test_parts_of_a_split_series_never_overlap(world: World) -> None:
    series = scheduling.make_series(world, recurrence="FREQ=DAILY")
    cut = scheduling.day(10)
    later = edit(world, series, scope="following", from_date=str(cut), title="Later").body
    between = edit(world, series, scope="following", from_date=str(scheduling.day(6)), title="Between").body

    for part, dates in (
        (series, {"end_date": None}),
        (series, {"end_date": str(scheduling.day(7))}),
        (between, {"end_date": None}),
        (between, {"start_date": str(scheduling.day(4))}),
        (later, {"start_date": series["start_date"]}),
    ):
        answer = edit(world, part, scope="all", **dates)
        assert (answer.status, answer.body["code"]) == (422, "invalid_request")
        assert "Another part of this series" in answer.body["detail"]

    assert edit(world, between, scope="all", end_date=str(scheduling.day(8))).status == 200
    assert edit(world, later, scope="all", start_date=str(scheduling.day(9))).status == 200
    all_walls = [wall for part in (series, between, later) for wall in walls(world, part["id"])]
    assert len(all_walls) == len(set(all_walls))


@pytest.mark.parametrize("way", ["rule", "end"])
def test_reverted_cancellation_of_a_series_gives_new_events(world: World, way: str) -> None:
    series = scheduling.make_series(world, recurrence="FREQ=WEEKLY;BYDAY=MO")
    _, by_organizer, booked, *_ = scheduling.events_of(world, series["id"])
    whole = walls(world, series["id"])
    gateway.post("manage-events", f"/events/{by_organizer['id']}/cancel", caller=world.owner)
    booking_id = scheduling.book(world, booked["id"], world.customer)
    there: dict[str, Any] = {"recurrence": "FREQ=WEEKLY;BYDAY=TU"}
    back: dict[str, Any] = {"recurrence": "FREQ=WEEKLY;BYDAY=MO"}
    if way == "end":
        there, back = {"end_date": str(whole[0].date())}, {"end_date": None}

    assert edit(world, series, scope="all", confirm=True, **there).status == 200
    assert edit(world, series, scope="all", **back).status == 200

    assert walls(world, series["id"]) == [wall for wall in whole if wall != by_organizer["local_start"]]
    on_that_day = {
        event["status"]: event["id"]
        for event in scheduling.events_of(world, series["id"])
        if event["local_start"] == booked["local_start"]
    }
    assert on_that_day["cancelled"] == booked["id"]
    assert on_that_day["scheduled"] != booked["id"]
    row = world.db.execute("select event_id, status::text from events.bookings where id = %s", [booking_id]).fetchone()
    assert row == {"event_id": booked["id"], "status": "cancelled"}
