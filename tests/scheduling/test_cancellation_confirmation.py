"""Test that an edit cancels other people's bookings only with confirmed numbers, which are those of the commit."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.kit import gateway, routines, scheduling
from tests.kit.concurrency import InBackground, wait_for_a_lock
from tests.kit.gateway import Answer
from tests.kit.scheduling import Database, World

NUMBERS = ("events", "bookings", "waitlist_entries", "people", "seats")
NONE = dict.fromkeys(NUMBERS, 0)

CANCEL_MANY = {
    "events.close_period": "refuses with would_cancel",
    "events.cancel_event": "the request names the event that it cancels",
    "events.edit_series": "refuses with would_cancel",
    "events.set_series_status": "keeps every event with a booking, a hold or a waitlist entry",
}
"""Each routine for callers that can cancel an event of several people, with the reason why nobody is surprised."""


@pytest.fixture
def world(db: Database) -> World:
    return scheduling.world(db)


def edit(world: World, series: dict[str, Any], **body: Any) -> Answer:
    return gateway.patch("manage-events", f"/series/{series['id']}", body, caller=world.editor)


def numbers(answer: Answer) -> dict[str, int]:
    """Return the numbers of a refusal or of a response."""
    members = answer.body if answer.status == 409 else answer.body["cancelled"]
    return {name: members[name] for name in NUMBERS}


def state(world: World) -> list[Any]:
    """Return everything that an edit of a series may change."""
    return [
        world.db.execute(query).fetchall()
        for query in (
            "select s.* from events.series as s order by s.id",
            "select e.* from events.events as e order by e.id",
            "select o.* from events.occurrences as o order by o.event_id",
            "select b.id, b.status from events.bookings as b order by b.id",
            "select i.* from events.inventory as i order by i.event_id",
            "select o.topic, o.key from public.outbox as o order by o.id",
        )
    ]


def booked_series(world: World) -> dict[str, Any]:
    """Create a daily series of 20, with two bookings by one person, and a full event with a person who waits."""
    series = scheduling.make_series(world, recurrence="FREQ=DAILY;COUNT=20", start_date=str(scheduling.day(2)))
    events = scheduling.events_of(world, series["id"])
    scheduling.book(world, events[10]["id"], world.customer, 2)
    scheduling.book(world, events[15]["id"], world.customer, 12)
    scheduling.wait(world, events[15]["id"], world.second_customer, 3)
    return series


ALL = {"events": 2, "bookings": 2, "waitlist_entries": 1, "people": 2, "seats": 14}
EARLIER = {"events": 1, "bookings": 1, "waitlist_entries": 0, "people": 1, "seats": 2}
LATER = {"events": 1, "bookings": 1, "waitlist_entries": 1, "people": 2, "seats": 12}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"scope": "all", "recurrence": "FREQ=DAILY;COUNT=5"}, ALL),
        ({"scope": "all", "recurrence": "FREQ=DAILY;UNTIL={14}"}, LATER),
        ({"scope": "all", "recurrence": "FREQ=DAILY;COUNT=20\nEXDATE;VALUE=DATE:{17}"}, LATER),
        ({"scope": "all", "end_date": "{14}"}, LATER),
        ({"scope": "all", "start_date": "{21}"}, ALL),
        ({"scope": "all", "start_date": "{16}", "local_start_time": "10:00"}, EARLIER),
        ({"scope": "following", "from_date": "{14}", "recurrence": "FREQ=DAILY;COUNT=1"}, LATER),
        ({"scope": "following", "from_date": "{6}", "end_date": "{9}"}, ALL),
    ],
    ids=lambda value: "+".join(value) if "scope" in value else "",
)
def test_edit_that_cancels_bookings_needs_their_numbers(
    world: World, change: dict[str, Any], expected: dict[str, int]
) -> None:
    series = booked_series(world)
    body = {name: filled(value) for name, value in change.items()}
    before = state(world)

    refused = edit(world, series, **body)

    assert (refused.status, refused.body["code"]) == (409, "would_cancel")
    assert numbers(refused) == expected
    assert str(expected["bookings"]) in refused.body["detail"]
    for confirm in (False, NONE, {}, {**expected, "people": expected["people"] - 1}, {"bookings": 100}):
        assert edit(world, series, **body, confirm=confirm).body["code"] == "would_cancel"
    assert state(world) == before
    scheduling.topics(world)

    confirmed = edit(world, series, **body, confirm=numbers(refused))

    assert (confirmed.status, numbers(confirmed)) == (200, expected)
    told = scheduling.topics(world)
    assert sum(1 for topic, _ in told if topic == "booking.cancelled") == expected["bookings"]
    assert sum(1 for topic, _ in told if topic == "waitlist.expired") == expected["waitlist_entries"]


def filled(value: str) -> str:
    """Return a text with the dates of its days: {14} is two weeks from today."""
    head, opened, tail = value.partition("{")
    if not opened:
        return value
    day = scheduling.day(int(tail.removesuffix("}")))
    return head + (str(day) if not head else f"{day:%Y%m%d}")


def test_edit_that_is_confirmed_for_any_number_reports_the_numbers(world: World) -> None:
    series = booked_series(world)

    answer = edit(world, series, scope="all", recurrence="FREQ=DAILY;COUNT=1", confirm=True)

    assert (answer.status, numbers(answer)) == (200, ALL)


@pytest.mark.parametrize(
    "change",
    [
        {"scope": "all", "title": "Renamed"},
        {"scope": "all", "local_start_time": "18:30", "duration_minutes": 90},
        {"scope": "all", "time_zone": "America/New_York"},
        {"scope": "all", "capacity": 40},
        {"scope": "all", "recurrence": "FREQ=DAILY;COUNT=18"},
        {"scope": "all", "recurrence": "FREQ=DAILY;COUNT=90"},
    ],
    ids=lambda change: next(iter(sorted(change))) + str(len(str(change))),
)
def test_edit_that_keeps_all_bookings_needs_no_confirmation(world: World, change: dict[str, Any]) -> None:
    """Times and places may change: the bookings stay, and their customers are notified."""
    series = booked_series(world)

    answer = edit(world, series, **change)

    assert answer.status == 200, answer.text
    assert {**numbers(answer), "events": 0} == NONE
    statuses = world.db.execute("select distinct b.status::text from events.bookings as b").fetchall()
    assert statuses == [{"status": "confirmed"}]


@pytest.mark.parametrize("action", ["pause", "resume", "archive"])
def test_status_of_a_series_cancels_no_booking(world: World, action: str) -> None:
    series = booked_series(world)

    answer = gateway.post("manage-events", f"/series/{series['id']}/{action}", caller=world.owner)

    assert answer.status == 200
    left = world.db.execute(
        "select count(*) filter (where b.status = 'confirmed') as bookings, (select count(*) from"
        " events.waitlist_entries as w where w.status = 'waiting') as entries from events.bookings as b"
    ).fetchone()
    assert left == {"bookings": 2, "entries": 1}


def test_cancelled_numbers_are_checked_again_at_the_commit(world: World) -> None:
    series = booked_series(world)
    event = scheduling.events_of(world, series["id"])[12]
    change = {"scope": "all", "recurrence": "FREQ=DAILY;COUNT=5"}
    refused = edit(world, series, **change)
    scheduling.book(world, event["id"], world.second_customer, 3)

    again = edit(world, series, **change, confirm=numbers(refused))

    assert (again.status, numbers(again)) == (
        409,
        {"events": 3, "bookings": 3, "waitlist_entries": 1, "people": 2, "seats": 17},
    )
    assert edit(world, series, **change, confirm=numbers(again)).status == 200


def test_booking_that_commits_while_the_edit_waits_is_counted(world: World, connect: Any) -> None:
    series = booked_series(world)
    event = scheduling.events_of(world, series["id"])[12]
    change = {"scope": "all", "recurrence": "FREQ=DAILY;COUNT=5"}
    confirm = numbers(edit(world, series, **change))
    rival = connect(autocommit=False)
    routines.call(rival, world.second_customer, "select events.book(event_id => %s)", [event["id"]])

    late = InBackground(lambda: edit(world, series, **change, confirm=confirm))
    wait_for_a_lock(world.db, "%events.edit_series%")
    rival.commit()

    refused = late.got()
    assert (refused.status, refused.body["code"]) == (409, "would_cancel")
    assert numbers(refused) == {"events": 3, "bookings": 3, "waitlist_entries": 1, "people": 2, "seats": 15}


def waited_event(world: World) -> dict[str, Any]:
    """Create a series, and return its first event: full, with people who wait for 1 and 3 seats."""
    series = scheduling.make_series(world, recurrence="FREQ=DAILY;COUNT=3", start_date=str(scheduling.day(3)))
    event = scheduling.events_of(world, series["id"])[0]
    booking_id = scheduling.book(world, event["id"], world.customer, 12)
    scheduling.wait(world, event["id"], world.second_customer, 3)
    scheduling.wait(world, event["id"], world.stranger, 1)
    return {**event, "series_id": series["id"], "booking_id": booking_id}


def edit_event(world: World, event: dict[str, Any], scope: str, **body: Any) -> Answer:
    """Edit an event through its own route, or through that of its series."""
    if scope == "event":
        return gateway.patch("manage-events", f"/events/{event['id']}", body, caller=world.editor)
    return edit(world, {"id": event["series_id"]}, scope="this", event_id=str(event["id"]), **body)


@pytest.mark.parametrize("scope", ["event", "this"])
def test_smaller_capacity_of_an_event_closes_entries_only_with_their_numbers(world: World, scope: str) -> None:
    series = scheduling.make_series(world, recurrence="FREQ=DAILY;COUNT=3", start_date=str(scheduling.day(3)))
    event = {**scheduling.events_of(world, series["id"])[0], "series_id": series["id"]}
    scheduling.book(world, event["id"], world.customer, 2)
    scheduling.wait(world, event["id"], world.second_customer, 11)
    before = state(world)
    scheduling.topics(world)
    expected = {"events": 0, "bookings": 0, "waitlist_entries": 1, "people": 1, "seats": 0}

    refused = edit_event(world, event, scope, capacity=4)

    assert (refused.status, refused.body["code"]) == (409, "would_cancel")
    assert numbers(refused) == expected
    assert edit_event(world, event, scope, capacity=4, confirm=NONE).status == 409
    assert scheduling.topics(world) == []
    assert state(world)[:-1] == before[:-1]

    confirmed = edit_event(world, event, scope, capacity=4, confirm=numbers(refused))

    assert (confirmed.status, numbers(confirmed)) == (200, expected)
    assert ("waitlist.expired", world.second_customer) in scheduling.topics(world)
    again = edit_event(world, event, scope, capacity=4)
    assert (again.status, numbers(again)) == (200, NONE)


@pytest.mark.parametrize("scope", ["event", "this", "all"])
@pytest.mark.parametrize("is_offered", [False, True], ids=["waiting", "offered"])
def test_move_that_ends_the_waitlist_needs_its_numbers(world: World, scope: str, is_offered: bool) -> None:
    """Move an event so near that no offer can follow, and that an open offer ends at once."""
    event = waited_event(world)
    if is_offered:
        gateway.post("cancel", f"/bookings/{event['booking_id']}/cancel", caller=world.owner)
    world.db.execute(
        "insert into organizations.policies (id, organization_id, name, closes_minutes_before)"
        " values (%s, %s, 'Early', %s)",
        [policy_id := uuid4(), world.organization_id, 60 * 24 * 30],
    )
    change = {"policy_id": str(policy_id)}
    before = state(world)

    def act(**body: Any) -> Answer:
        if scope == "all":
            return edit(world, {"id": event["series_id"]}, scope="all", **change, **body)
        return edit_event(world, event, scope, **change, **body)

    refused = act()
    assert (refused.status, refused.body["code"]) == (409, "would_cancel")
    assert numbers(refused) == {"events": 0, "bookings": 0, "waitlist_entries": 2, "people": 2, "seats": 0}
    assert state(world) == before
    confirmed = act(confirm=numbers(refused))

    assert (confirmed.status, numbers(confirmed)) == (200, numbers(refused))
    assert act().status == 200  # they have ended already


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Renamed", "visibility": "private", "price_cents": 9900},
        {"capacity": None},
        {"capacity": 12},
        {"starts_at": "+1", "ends_at": "+1"},
        {"confirm": True},
        {},
    ],
    ids=lambda change: "+".join(change) or "nothing",
)
def test_edit_of_an_event_that_closes_no_entry_needs_no_confirmation(world: World, change: dict[str, Any]) -> None:
    event = waited_event(world)
    times = {name: (event[name] + timedelta(days=1)).isoformat() for name in ("starts_at", "ends_at")}

    answer = edit_event(world, event, "event", **{**change, **(times if "starts_at" in change else {})})

    assert (answer.status, numbers(answer)) == (200, NONE), answer.text


@pytest.mark.parametrize("confirm", [None, "yes", 1, {"bookings": -1}, {"bookings": "2"}, {"all": True}, []])
def test_invalid_confirmation_is_refused(world: World, confirm: Any) -> None:
    answer = edit(world, {"id": uuid4()}, scope="all", title="Renamed", confirm=confirm)

    assert (answer.status, answer.body["code"]) == (422, "invalid_request")
    assert answer.body["errors"][0]["path"][:2] == ["body", "confirm"]


def test_every_routine_that_can_cancel_events_is_judged(world: World) -> None:
    """Find the routines with a grant that reach events.cancel_events, by the calls in their bodies."""
    rows = world.db.execute(
        """
        select
            n.nspname || '.' || p.proname as name, p.prosrc,
            exists (
                select from aclexplode(p.proacl) as a
                inner join pg_roles as r on r.oid = a.grantee
                where r.rolname in ('anon', 'authenticated', 'service_role')
            ) as is_granted
        from pg_proc as p
        inner join pg_namespace as n on n.oid = p.pronamespace
        where p.prosrc ~ '\\m[a-z_]+\\.[a-z_]+\\('
        """
    ).fetchall()
    reaching = {"events.cancel_events"}
    while True:
        callers = {row["name"] for row in rows if any(f"{name}(" in row["prosrc"] for name in reaching)} | reaching
        if callers == reaching:
            break
        reaching = callers

    assert reaching & {row["name"] for row in rows if row["is_granted"]} == set(CANCEL_MANY)
