"""Test the routes of series and events: creation, lists, pauses, cancellations and permissions."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from marquee.core import identity
from marquee.scheduling.generation import horizon
from tests.kit import gateway, scheduling
from tests.kit.scheduling import Database, World


@pytest.fixture
def world(db: Database) -> World:
    return scheduling.world(db)


def test_new_series_gets_its_events_for_120_days(world: World) -> None:
    series = scheduling.make_series(world, recurrence="FREQ=WEEKLY", policy_id=str(world.policy_id))

    assert series["recurrence"] == "RRULE:FREQ=WEEKLY"
    assert (series["time_zone"], series["currency"], series["status"]) == ("Europe/Zurich", "CHF", "active")
    assert date.fromisoformat(series["generated_until"]) == horizon(datetime.now(UTC))
    events = scheduling.events_of(world, series["id"])
    assert len(events) == 18
    assert {event["local_start"].time().isoformat() for event in events} == {"09:00:00"}
    assert {(event["capacity"], event["taken"], event["status"]) for event in events} == {(12, 0, "scheduled")}
    assert events[0]["policy"] == {
        "opens_days_before": 60,
        "closes_minutes_before": 15,
        "cancel_hours_before": 48,
        "late_refund_percent": 100,
        "late_fee_cents": 1000,
        "late_credit_lost": True,
        "no_show_fee_cents": 0,
        "refund_to": "original",
        "seats_max_per_person": 20,
        "no_show_after_minutes": None,
        "blocked_after_no_shows": None,
        "no_shows_within_days": 90,
    }


def test_booking_window_of_an_event_follows_the_policy_of_its_series(world: World) -> None:
    series = scheduling.make_series(world, policy_id=str(world.policy_id))
    rows = world.db.execute(
        "select t.starts_at - t.opens_at as opens, t.starts_at - t.closes_at as closes from events.terms as t"
    ).fetchall()
    assert len(rows) == len(scheduling.events_of(world, series["id"]))
    assert {row["closes"] for row in rows} == {timedelta(minutes=15)}
    assert {round(row["opens"] / timedelta(days=1)) for row in rows} == {60}


def test_series_that_starts_in_the_past_gets_future_events_only(world: World) -> None:
    series = scheduling.make_series(world, recurrence="FREQ=DAILY", start_date=str(scheduling.day(-30)))

    events = scheduling.events_of(world, series["id"])
    assert min(event["starts_at"] for event in events) > datetime.now(UTC)
    assert len(events) >= 120


def test_repeated_request_creates_one_series(world: World) -> None:
    first, second = (
        gateway.post("manage-events", "/series", scheduling.details(world), caller=world.owner, key="tap")
        for _ in range(2)
    )
    other = gateway.post(
        "manage-events", "/series", scheduling.details(world, capacity=3), caller=world.owner, key="tap"
    )

    assert (first.status, second.status) == (201, 201)
    assert first.body == second.body
    assert (other.status, other.body["code"]) == (422, "idempotency_conflict")
    assert world.db.execute("select count(*) as n from events.series").fetchone() == {"n": 1}


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"recurrence": "FREQ=SECONDLY"}, ["body", "recurrence"]),
        ({"recurrence": "FREQ=WEEKLY;BYDAY=XX"}, ["body", "recurrence"]),
        ({"time_zone": "Mars/Olympus"}, ["body", "time_zone"]),
        ({"local_start_time": "25:00"}, ["body", "local_start_time"]),
        ({"local_start_time": "09:00Z"}, ["body", "local_start_time"]),
        ({"start_date": "tomorrow"}, ["body", "start_date"]),
        ({"start_date": "1999-12-31"}, ["body", "start_date"]),
        ({"start_date": "2199-12-31"}, ["body", "start_date"]),
        ({"duration_minutes": 5}, ["body", "duration_minutes"]),
        ({"duration_minutes": "60"}, ["body", "duration_minutes"]),
        ({"capacity": -1}, ["body", "capacity"]),
        ({"price_cents": -1}, ["body", "price_cents"]),
        ({"category": "no-such-category"}, ["body", "category"]),
        ({"location_id": str(uuid4())}, ["body", "location_id"]),
        ({"language": "xx"}, ["body", "language"]),
        ({"currency": "XXX"}, ["body", "currency"]),
        ({"title": ""}, ["body", "title"]),
        ({"colour": "red"}, ["body", "colour"]),
    ],
)
def test_invalid_series_is_refused_with_its_field(world: World, changes: dict[str, Any], place: list[str]) -> None:
    answer = gateway.post("manage-events", "/series", scheduling.details(world, **changes), caller=world.owner)

    assert (answer.status, answer.body["code"]) == (422, "invalid_request")
    assert answer.body["errors"][0]["path"] == place
    assert world.db.execute("select count(*) as n from events.series").fetchone() == {"n": 0}


def test_location_of_another_organization_is_refused(world: World) -> None:
    other = scheduling.world(world.db)

    answer = gateway.post(
        "manage-events", "/series", scheduling.details(world, location_id=str(other.location_id)), caller=world.owner
    )

    assert (answer.status, answer.body["errors"][0]["path"]) == (422, ["body", "location_id"])


Call = Callable[[dict[str, Any], dict[str, Any]], tuple[str, str, Any]]

CALLS: dict[str, Call] = {
    "edit series": lambda series, _: ("PATCH", f"/series/{series['id']}", {"scope": "all", "title": "Mine"}),
    "pause": lambda series, _: ("POST", f"/series/{series['id']}/pause", None),
    "resume": lambda series, _: ("POST", f"/series/{series['id']}/resume", None),
    "archive": lambda series, _: ("POST", f"/series/{series['id']}/archive", None),
    "generate": lambda series, _: ("POST", f"/series/{series['id']}/generate", None),
    "edit event": lambda _, event: ("PATCH", f"/events/{event['id']}", {"title": "Mine"}),
    "cancel event": lambda _, event: ("POST", f"/events/{event['id']}/cancel", None),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_only_editors_of_the_organization_can_change_series_and_events(world: World, call: Call) -> None:
    hidden = scheduling.make_series(world, visibility="private")
    draft = scheduling.make_event(world, status="draft")
    shown, event = scheduling.make_series(world), scheduling.make_event(world)

    for who, series, single, expected in [
        (world.stranger, hidden, draft, 404),
        (world.customer, hidden, draft, 404),
        (world.stranger, shown, event, 403),
        (world.viewer, hidden, draft, 403),
        (world.front_desk, hidden, draft, 403),
    ]:
        method, path, body = call(series, single)
        answer = gateway.request("manage-events", method, path, body, caller=who)
        assert answer.status == expected, (who, answer.text)
        assert "title" not in answer.body or answer.body["title"] in (
            "Forbidden",
            "Series not found",
            "Event not found",
        )

    method, path, body = call(shown, event)
    assert gateway.request("manage-events", method, path, body, caller=world.editor).status == 200
    assert gateway.request("manage-events", method, path, body, caller=identity.service()).status == 200


def test_only_editors_can_create_series(world: World) -> None:
    for who, expected in [(world.viewer, 403), (world.stranger, 403), (world.customer, 403), (world.editor, 201)]:
        assert gateway.post("manage-events", "/series", scheduling.details(world), caller=who).status == expected
    nowhere = gateway.post(
        "manage-events", "/series", scheduling.details(world, organization_id=str(uuid4())), caller=world.owner
    )
    assert (nowhere.status, nowhere.body["code"]) == (404, "organization_not_found")


def test_series_are_visible_to_members_only(world: World) -> None:
    made = [scheduling.make_series(world, title=f"Series {number}")["id"] for number in range(3)]

    first = gateway.get("manage-events", "/series", caller=world.viewer, query={"limit": 2})
    second = gateway.get(
        "manage-events", "/series", caller=world.viewer, query={"limit": 2, "cursor": first.body["next_cursor"]}
    )

    assert [series["id"] for page in (first, second) for series in page.body["items"]] == made
    assert second.body["next_cursor"] is None
    assert gateway.get("manage-events", f"/series/{made[0]}", caller=world.viewer).body["title"] == "Series 0"
    assert gateway.get("manage-events", "/series", caller=world.stranger).body["items"] == []
    assert gateway.get("manage-events", f"/series/{made[0]}", caller=world.stranger).status == 404
    assert gateway.get("manage-events", "/series", caller=world.viewer, query={"status": "paused"}).body["items"] == []


def test_paused_series_gets_no_events_until_it_is_resumed(world: World) -> None:
    series = scheduling.make_series(world)
    path = f"/series/{series['id']}"
    paused = gateway.post("manage-events", f"{path}/pause", {"reason": "Holidays."}, caller=world.owner)
    world.db.execute("delete from events.occurrences")
    world.db.execute("delete from events.events")

    while_paused = gateway.post("manage-events", f"{path}/generate", caller=world.owner)
    resumed = gateway.post("manage-events", f"{path}/resume", caller=world.owner)

    assert (paused.body["status"], paused.body["status_reason"]) == ("paused", "Holidays.")
    assert while_paused.body["events_made"] == 0
    assert resumed.body["status"] == "active"
    assert len(scheduling.events_of(world, series["id"])) == 18


def test_archived_series_keeps_only_events_with_bookings_or_waitlist_entries(world: World) -> None:
    series = scheduling.make_series(world)
    booked, cancelled, waited, *_ = scheduling.events_of(world, series["id"])
    scheduling.book(world, booked["id"], world.customer)
    scheduling.book(world, waited["id"], world.customer, 12)
    scheduling.wait(world, waited["id"], world.second_customer)
    scheduling.book(world, cancelled["id"], world.customer)
    world.db.execute(
        "update events.bookings set status = 'cancelled', cancelled_at = now() where event_id = %s", [cancelled["id"]]
    )

    archived = gateway.post("manage-events", f"/series/{series['id']}/archive", caller=world.owner)
    again = gateway.post("manage-events", f"/series/{series['id']}/archive", caller=world.owner)
    resumed = gateway.post("manage-events", f"/series/{series['id']}/resume", caller=world.owner)

    assert archived.body == again.body
    assert (resumed.status, resumed.body["code"]) == (409, "invalid_transition")
    left = scheduling.events_of(world, series["id"])
    assert [(event["id"], event["status"]) for event in left] == [
        (event["id"], "scheduled") for event in (booked, cancelled, waited)
    ]
    generated = gateway.post("manage-events", f"/series/{series['id']}/generate", caller=world.owner)
    assert (generated.status, generated.body["code"]) == (409, "series_archived")


def test_draft_event_can_be_published_but_not_unpublished(world: World) -> None:
    draft = scheduling.make_event(world, status="draft", location_id=str(world.location_id))
    published = gateway.patch("manage-events", f"/events/{draft['id']}", {"status": "scheduled"}, caller=world.editor)
    back = gateway.patch("manage-events", f"/events/{draft['id']}", {"status": "draft"}, caller=world.editor)

    assert (draft["status"], draft["capacity"], draft["detached"]) == ("draft", 12, False)
    assert published.body["status"] == "scheduled"
    assert back.status == 422


def test_repeated_request_creates_one_event(world: World) -> None:
    event = scheduling.make_event(world)
    body = {name: event[name] for name in ("organization_id", "title", "starts_at", "ends_at")}

    answers = [gateway.post("manage-events", "/events", body, caller=world.owner, key="tap") for _ in range(2)]

    assert [answer.status for answer in answers] == [201, 201]
    assert answers[0].body == answers[1].body
    assert world.db.execute("select count(*) as n from events.events").fetchone() == {"n": 2}


@pytest.mark.parametrize(
    ("starts", "ends", "place"),
    [(-1, 1, "starts_at"), (1, 1, "ends_at"), (1, 800, "ends_at"), (24 * 366 * 5, 24 * 366 * 5 + 1, "starts_at")],
)
def test_invalid_event_time_is_refused(world: World, starts: int, ends: int, place: str) -> None:
    now = datetime.now(UTC)
    body = {
        "organization_id": str(world.organization_id),
        "title": "Open evening",
        "starts_at": (now + timedelta(hours=starts)).isoformat(),
        "ends_at": (now + timedelta(hours=ends)).isoformat(),
    }
    answer = gateway.post("manage-events", "/events", body, caller=world.owner)

    assert (answer.status, answer.body["errors"][0]["path"]) == (422, ["body", place])


def test_started_event_cannot_be_edited(world: World) -> None:
    event = scheduling.make_event(world)
    world.db.execute("update events.events set starts_at = now() - interval '1 minute' where id = %s", [event["id"]])

    answer = gateway.patch("manage-events", f"/events/{event['id']}", {"title": "Too late"}, caller=world.owner)

    assert (answer.status, answer.body["code"]) == (409, "event_begun")


def test_edit_can_clear_the_description_but_not_the_title(world: World) -> None:
    event = scheduling.make_event(world, description="To be taken away.")

    refused = gateway.patch("manage-events", f"/events/{event['id']}", {"title": None}, caller=world.owner)
    edited = gateway.patch("manage-events", f"/events/{event['id']}", {"description": None}, caller=world.owner)

    assert refused.status == 422
    assert (edited.body["description"], edited.body["title"]) == (None, "Open evening")


def test_customers_are_notified_of_a_new_time(world: World) -> None:
    event = scheduling.make_event(world)
    scheduling.book(world, event["id"], world.customer)
    scheduling.topics(world)
    later = datetime.fromisoformat(event["starts_at"]) + timedelta(days=40)

    moved = gateway.patch(
        "manage-events",
        f"/events/{event['id']}",
        {"starts_at": later.isoformat(), "ends_at": (later + timedelta(hours=2)).isoformat()},
        caller=world.editor,
    )
    retitled = gateway.patch("manage-events", f"/events/{event['id']}", {"title": "Open night"}, caller=world.editor)

    assert datetime.fromisoformat(moved.body["starts_at"]) == later
    assert (retitled.body["title"], retitled.body["taken"]) == ("Open night", 1)
    assert scheduling.topics(world) == [("event.changed", world.customer)]
    terms = world.db.execute("select starts_at from events.terms where event_id = %s", [event["id"]]).fetchone()
    assert terms == {"starts_at": later}


def test_capacity_below_the_sold_seats_is_refused(world: World) -> None:
    """Repeat a fault of an earlier system: the capacity was lowered below the sold seats."""
    event = scheduling.make_event(world)
    scheduling.book(world, event["id"], world.customer, 5)

    refused = gateway.patch("manage-events", f"/events/{event['id']}", {"capacity": 4}, caller=world.owner)
    lowered = gateway.patch("manage-events", f"/events/{event['id']}", {"capacity": 5}, caller=world.owner)
    unlimited = gateway.patch("manage-events", f"/events/{event['id']}", {"capacity": None}, caller=world.owner)

    assert (refused.status, refused.body["code"], refused.body["capacity"]) == (409, "capacity_below_sold", 4)
    assert refused.body["detail"] == "5 seats of an event are sold or held. Choose a capacity of 5 or more."
    assert [(one["event_id"], one["taken"]) for one in refused.body["events"]] == [(event["id"], 5)]
    assert (lowered.body["capacity"], unlimited.body["capacity"]) == (5, None)


def test_raised_capacity_is_offered_to_the_waitlist(world: World) -> None:
    event = scheduling.make_event(world, capacity=1)
    scheduling.book(world, event["id"], world.customer)
    scheduling.wait(world, event["id"], world.second_customer)
    scheduling.topics(world)

    raised = gateway.patch("manage-events", f"/events/{event['id']}", {"capacity": 2}, caller=world.owner)

    assert (raised.body["taken"], raised.body["held"], raised.body["waitlisted"]) == (1, 1, 0)
    assert scheduling.topics(world) == [("waitlist.offered", world.second_customer)]


def test_event_cancellation_costs_its_customers_nothing(world: World) -> None:
    event = scheduling.make_event(world, policy_id=str(world.policy_id), capacity=2)
    booking_id = scheduling.book(world, event["id"], world.customer, 2)
    scheduling.wait(world, event["id"], world.second_customer)
    world.db.execute("update events.bookings set price_cents = 5000")
    scheduling.topics(world)
    path = f"/events/{event['id']}/cancel"

    first = gateway.post("manage-events", path, {"reason": "The instructor is ill."}, caller=world.editor)
    second = gateway.post("manage-events", path, caller=world.editor)

    assert first.body == second.body
    assert (first.body["status"], first.body["status_reason"]) == ("cancelled", "The instructor is ill.")
    assert [first.body[counter] for counter in ("taken", "held", "waitlisted")] == [0, 0, 0]
    booking = world.db.execute(
        "select id, status::text, late, fee_cents from events.bookings where event_id = %s", [event["id"]]
    ).fetchone()
    assert booking == {"id": booking_id, "status": "cancelled", "late": False, "fee_cents": 0}
    assert scheduling.topics(world) == [
        ("booking.cancelled", world.customer),
        ("waitlist.expired", world.second_customer),
        ("event.cancelled", None),
    ]
    edited = gateway.patch("manage-events", f"/events/{event['id']}", {"title": "Back on"}, caller=world.editor)
    assert (edited.status, edited.body["code"]) == (409, "event_not_editable")


def test_past_event_cannot_be_cancelled(world: World) -> None:
    event = scheduling.make_event(world)
    world.db.execute(
        """
        update events.events set starts_at = now() - interval '2 hours', ends_at = now() - interval '1 hour'
        where id = %s
        """,
        [event["id"]],
    )

    answer = gateway.post("manage-events", f"/events/{event['id']}/cancel", caller=world.owner)

    assert (answer.status, answer.body["code"]) == (409, "event_over")


def test_local_time_of_a_far_time_zone_is_kept(db: Database) -> None:
    auckland = scheduling.world(db, "Pacific/Auckland", "Auckland")
    series = scheduling.make_series(auckland, recurrence="FREQ=DAILY", local_start_time="00:30")

    events = scheduling.events_of(auckland, series["id"])
    zone = ZoneInfo("Pacific/Auckland")
    days = [event["starts_at"].astimezone(zone).date() for event in events]
    assert len(days) == len(set(days)) >= 119
    assert {event["starts_at"].astimezone(zone).strftime("%H:%M") for event in events} == {"00:30"}
