"""The public catalog: what is found, what is hidden, and what may be cached how long."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.kit import gateway, scheduling
from tests.kit.gateway import Answer
from tests.kit.scheduling import Database, World


@pytest.fixture
def world(db: Database) -> World:
    return scheduling.world(db)


def search(**query: Any) -> Answer:
    return gateway.get("catalog", "/events", query={name.rstrip("_"): value for name, value in query.items()})


def titles(**query: Any) -> list[str]:
    answer = search(**query)
    assert answer.status == 200, answer.text
    return [event["title"] for event in answer.body["items"]]


def given(world: World, title: str, days: float = 3, **changes: Any) -> str:
    starts_at = datetime.now(UTC) + timedelta(days=days)
    times = {"starts_at": starts_at.isoformat(), "ends_at": (starts_at + timedelta(hours=1)).isoformat()}
    return str(scheduling.make_event(world, title=title, **{**times, **changes})["id"])


def test_plain_words_find_other_forms_of_them(world: World) -> None:
    """Trap: "classes" found nothing."""
    given(world, "Yoga class for beginners")
    given(world, "Running together", description="We run along the river.")

    assert titles(q="classes") == ["Yoga class for beginners"]
    assert titles(q="beginner yogas") == ["Yoga class for beginners"]
    assert titles(q="runs") == ["Running together"]
    assert titles(q="swimming") == []


def test_words_are_found_by_the_rules_of_the_events_language(world: World) -> None:
    given(world, "Konzerte im Park", language="de")
    given(world, "Cours de cuisine française", language="fr")
    given(world, "Lezioni di canto", language="it")

    assert titles(q="Konzert") == ["Konzerte im Park"]
    assert titles(q="cuisines françaises") == ["Cours de cuisine française"]
    assert titles(q="lezione") == ["Lezioni di canto"]


def test_words_may_be_left_out_and_kept_together(world: World) -> None:
    given(world, "Hot yoga classes")
    given(world, "Slow yoga class", days=4)

    assert titles(q="yoga -classes") == []
    assert titles(q="yoga -hot") == ["Slow yoga class"]
    assert titles(q='"slow yoga"') == ["Slow yoga class"]
    assert titles(q="hot or slow") == ["Hot yoga classes", "Slow yoga class"]


@pytest.mark.parametrize("q", ["the", "!!!", "'); drop table events; --", "a & | b", ":*", "\\", "-", '"', "%s", "ß"])
def test_any_words_are_answered(world: World, q: str) -> None:
    given(world, "Yoga class")
    assert search(q=q).status == 200


def test_filters_are_all_met(world: World) -> None:
    other = scheduling.world(world.db, city="Bern")
    here = {"location_id": str(world.location_id), "instructor_id": str(world.instructor_id)}
    given(world, "Zurich yoga", days=1, category="yoga", **here)
    given(world, "Zurich jazz", days=5, category="concert", price_cents=4900, **here)
    given(other, "Bern yoga", days=3, category="yoga", location_id=str(other.location_id), price_cents=1500)
    series = scheduling.make_series(other, title="Bern series", recurrence="FREQ=WEEKLY;COUNT=2")
    soon, later = datetime.now(UTC) + timedelta(days=2), datetime.now(UTC) + timedelta(days=4)

    assert titles(city="zurich") == ["Zurich yoga", "Zurich jazz"]
    assert titles(city="Bern") == ["Bern yoga"]
    assert titles(city="Nowhere") == []
    assert titles(category="yoga") == ["Zurich yoga", "Bern yoga"]
    assert titles(category="fitness", city="Zurich") == ["Zurich yoga"]
    assert titles(category="no-such") == []
    assert titles(instructor_id=world.instructor_id) == ["Zurich yoga", "Zurich jazz"]
    assert titles(instructor_id=world.instructor_id, organization_id=other.organization_id) == []
    assert titles(instructor_id=uuid4()) == []
    assert titles(organization_id=world.organization_id) == ["Zurich yoga", "Zurich jazz"]
    assert titles(series_id=series["id"]) == ["Bern series"] * 2
    assert titles(from_=soon.isoformat(), to=later.isoformat(), q="yoga") == ["Bern yoga"]
    assert titles(price="free", organization_id=world.organization_id) == ["Zurich yoga"]
    assert titles(price="under_20") == ["Bern yoga"]
    assert titles(price="under_50") == ["Zurich jazz"]
    assert titles(price="more") == []


@pytest.mark.parametrize(
    ("price_cents", "tier"),
    [(0, "free"), (1, "under_20"), (1999, "under_20"), (2000, "under_50"), (4999, "under_50"), (5000, "more")],
)
def test_a_price_is_in_one_tier_also_at_its_edges(world: World, price_cents: int, tier: str) -> None:
    given(world, "Yoga", price_cents=price_cents)

    assert {name: titles(price=name) for name in ("free", "under_20", "under_50", "more")} == {
        name: ["Yoga"] if name == tier else [] for name in ("free", "under_20", "under_50", "more")
    }


@pytest.mark.parametrize(
    ("capacity", "taken", "word", "left"),
    [
        (10, 0, "available", 10),
        (10, 7, "available", 3),
        (10, 8, "filling", 2),
        (10, 10, "full", 0),
        (None, 15, "unlimited", None),
    ],
)
def test_availability_is_that_of_this_moment(
    world: World, capacity: int | None, taken: int, word: str, left: int | None
) -> None:
    event_id = given(world, "Yoga", capacity=capacity)
    assert titles(availability="unlimited" if capacity is None else "available") == ["Yoga"]
    if taken:
        scheduling.book(world, event_id, world.customer, taken)

    listed = search(availability=word).body["items"]
    shown = gateway.get("catalog", f"/events/{event_id}").body

    for event in (*listed, shown):
        assert (event["availability"], event["seats_left"], event["capacity"]) == (word, left, capacity)
    assert len(listed) == 1
    for other in {"available", "filling", "full", "unlimited"} - {word}:
        assert titles(availability=other) == []


def test_held_seats_are_not_left(world: World) -> None:
    event_id = given(world, "Yoga", capacity=2)
    scheduling.book(world, event_id, world.customer, 2)
    scheduling.wait(world, event_id, world.second_customer, 2)
    full = gateway.get("catalog", f"/events/{event_id}").body
    booking = world.db.execute("select id from events.bookings").fetchone()
    assert booking is not None
    gateway.post("cancel", f"/bookings/{booking['id']}/cancel", caller=world.customer)

    offered = gateway.get("catalog", f"/events/{event_id}").body

    assert (full["waitlisted"], full["waitlist_open"], full["booking_open"]) == (1, True, True)
    assert (offered["held"], offered["seats_left"], offered["availability"]) == (2, 0, "full")


def test_pages_go_through_all_events_once_in_order(world: World) -> None:
    scheduling.make_series(world, recurrence="FREQ=DAILY;BYHOUR=9,9,17;COUNT=45", title="Yoga")
    scheduling.make_series(world, recurrence="FREQ=DAILY;COUNT=30", title="Jazz")
    seen: list[dict[str, Any]] = []
    cursor = None
    while True:
        answer = search(limit=20, cursor=cursor)
        seen += answer.body["items"]
        cursor = answer.body["next_cursor"]
        if cursor is None:
            break

    assert len(seen) == len({event["id"] for event in seen}) == 75
    assert [(event["starts_at"], event["id"]) for event in seen] == sorted(
        (event["starts_at"], event["id"]) for event in seen
    )


def test_what_is_private_a_draft_cancelled_or_past_is_not_listed(world: World) -> None:
    shown = given(world, "Shown")
    given(world, "Private", visibility="private")
    given(world, "Draft", status="draft")
    cancelled = given(world, "Cancelled")
    gateway.post("manage-events", f"/events/{cancelled}/cancel", caller=world.owner)
    past = given(world, "Past")
    world.db.execute("update events.events set starts_at = now() - interval '2 days' where id = %s", [past])

    assert [event["id"] for event in search().body["items"]] == [shown]
    assert titles(from_=(datetime.now(UTC) - timedelta(days=5)).isoformat()) == ["Past", "Shown"]


def test_private_events_and_drafts_are_not_found_and_cancelled_ones_say_so(world: World) -> None:
    private = given(world, "Private", visibility="private")
    draft = given(world, "Draft", status="draft")
    cancelled = given(world, "Cancelled")
    gateway.post("manage-events", f"/events/{cancelled}/cancel", {"reason": "Ill."}, caller=world.owner)

    for hidden in (private, draft, str(uuid4())):
        for path in (f"/events/{hidden}", f"/events/{hidden}/calendar.ics"):
            answer = gateway.get("catalog", path, caller=world.owner)
            assert (answer.status, answer.body["code"]) == (404, "event_not_found")
    shown = gateway.get("catalog", f"/events/{cancelled}").body
    assert (shown["status"], shown["status_reason"], shown["booking_open"]) == ("cancelled", "Ill.", False)


def test_an_event_shows_its_place_its_people_and_its_terms(world: World) -> None:
    event_id = given(
        world,
        "Yoga",
        location_id=str(world.location_id),
        instructor_id=str(world.instructor_id),
        policy_id=str(world.policy_id),
        price_cents=2500,
    )
    event = gateway.get("catalog", f"/events/{event_id}").body

    assert event["location"] == {
        "id": str(world.location_id), "name": "Lake room", "address": "Seestrasse 1", "city": "Zurich", "country": "CH",
    }  # fmt: skip
    assert event["instructor"] == {"id": str(world.instructor_id), "name": "Felix", "bio": None}
    assert (event["organization"]["id"], event["organization"]["name"]) == (str(world.organization_id), "Studio")
    assert (event["price_tier"], event["cancel_hours_before"], event["late_fee_cents"]) == ("under_50", 48, 1000)
    bare = gateway.get("catalog", f"/events/{given(world, 'Bare')}").body
    assert (bare["location"], bare["instructor"]) == (None, None)


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0}, {"limit": 101}, {"limit": "many"}, {"cursor": "nonsense"}, {"availability": "some"},
        {"price": "cheap"}, {"from": "tomorrow"}, {"from": "2030-01-01T00:00:00"}, {"q": "x" * 201}, {"q": ""},
        {"city": "a\0b"}, {"instructor_id": "7"}, {"colour": "red"}, {"category": "Yoga"},
        {"from": "2030-01-02T00:00:00Z", "to": "2030-01-01T00:00:00Z"},
    ],
)  # fmt: skip
def test_refuses_queries_that_do_not_fit(world: World, query: dict[str, Any]) -> None:
    answer = gateway.get("catalog", "/events", query=query)

    assert (answer.status, answer.body["code"]) == (422, "invalid_request")
    assert answer.body["errors"][0]["path"][0] == "query"


def test_nobodys_email_address_is_in_any_public_answer(world: World) -> None:
    """Trap: e-mail addresses of all organizations readable by anyone."""
    event_id = given(world, "Yoga", location_id=str(world.location_id), instructor_id=str(world.instructor_id))
    series = scheduling.make_series(world)
    scheduling.book(world, event_id, world.customer)
    answers = [
        gateway.get("catalog", path)
        for path in (
            "/events", f"/events/{event_id}", "/organizations", f"/organizations/{world.organization_id}",
            f"/organizations/{world.organization_id}/locations", f"/events/{event_id}/calendar.ics",
            f"/series/{series['id']}/calendar.ics",
        )
    ]  # fmt: skip

    for answer in answers:
        assert answer.status == 200
        assert "example.org" not in answer.text
        assert "email" not in answer.text


def test_organizations_are_listed_with_their_places(world: World) -> None:
    world.db.execute(
        'update organizations.organizations set branding = \'{"colour": "#336699"}\' where id = %s',
        [world.organization_id],
    )
    first = gateway.get("catalog", "/organizations", query={"limit": 1})
    second = gateway.get("catalog", "/organizations", query={"limit": 1, "cursor": first.body["next_cursor"]})
    one = gateway.get("catalog", f"/organizations/{world.organization_id}")
    places = gateway.get("catalog", f"/organizations/{world.organization_id}/locations")
    none = gateway.get("catalog", f"/organizations/{world.other_organization_id}/locations")

    assert {page.body["items"][0]["id"] for page in (first, second)} == {
        str(world.organization_id), str(world.other_organization_id),
    }  # fmt: skip
    assert second.body["next_cursor"] is None
    assert (one.body["name"], one.body["branding"]) == ("Studio", {"colour": "#336699"})
    assert [place["name"] for place in places.body["items"]] == ["Lake room"]
    assert none.body == {"items": []}
    for path in (f"/organizations/{uuid4()}", f"/organizations/{uuid4()}/locations"):
        assert gateway.get("catalog", path).body["code"] == "organization_not_found"


def test_answers_say_how_long_they_keep_and_are_not_sent_twice(world: World) -> None:
    event_id = given(world, "Yoga")
    series = scheduling.make_series(world)
    for path, seconds in {
        "/events": 60,
        f"/events/{event_id}": 30,
        "/organizations": 60,
        f"/organizations/{world.organization_id}": 3600,
        f"/organizations/{world.organization_id}/locations": 300,
        f"/events/{event_id}/calendar.ics": 300,
        f"/series/{series['id']}/calendar.ics": 300,
    }.items():
        first = gateway.get("catalog", path)
        again = gateway.get("catalog", path, headers={"If-None-Match": first.headers["etag"]})
        other = gateway.get("catalog", path, headers={"If-None-Match": '"another"'})

        assert first.headers["cache-control"] == f"public, max-age={seconds}", path
        assert (again.status, again.text, again.headers["etag"]) == (304, "", first.headers["etag"])
        assert other.status == 200


def test_a_booking_shows_in_the_next_answer(world: World) -> None:
    event_id = given(world, "Yoga")
    before = {path: gateway.get("catalog", path) for path in ("/events", f"/events/{event_id}")}
    scheduling.book(world, event_id, world.customer, 2)

    for path, first in before.items():
        now = gateway.get("catalog", path, headers={"If-None-Match": first.headers["etag"]})
        event = now.body["items"][0] if "items" in now.body else now.body
        assert (now.status, event["seats_left"]) == (200, 10)
