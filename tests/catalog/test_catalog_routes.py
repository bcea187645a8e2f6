"""The public catalog: search, filters, hidden events and cache lifetimes."""

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


def make_event(world: World, title: str, days: float = 3, **changes: Any) -> str:
    starts_at = datetime.now(UTC) + timedelta(days=days)
    times = {"starts_at": starts_at.isoformat(), "ends_at": (starts_at + timedelta(hours=1)).isoformat()}
    return str(scheduling.make_event(world, title=title, **{**times, **changes})["id"])


def test_search_finds_other_forms_of_a_word(world: World) -> None:
    """A search for "classes" must find "class", which the earlier system did not."""
    make_event(world, "Yoga class for beginners")
    make_event(world, "Running together", description="We run along the river.")

    assert titles(q="classes") == ["Yoga class for beginners"]
    assert titles(q="beginner yogas") == ["Yoga class for beginners"]
    assert titles(q="runs") == ["Running together"]
    assert titles(q="swimming") == []


def test_search_stems_words_in_the_events_language(world: World) -> None:
    make_event(world, "Konzerte im Park", language="de")
    make_event(world, "Cours de cuisine française", language="fr")
    make_event(world, "Lezioni di canto", language="it")

    assert titles(q="Konzert") == ["Konzerte im Park"]
    assert titles(q="cuisines françaises") == ["Cours de cuisine française"]
    assert titles(q="lezione") == ["Lezioni di canto"]


def test_search_supports_exclusions_phrases_and_alternatives(world: World) -> None:
    make_event(world, "Hot yoga classes")
    make_event(world, "Slow yoga class", days=4)

    assert titles(q="yoga -classes") == []
    assert titles(q="yoga -hot") == ["Slow yoga class"]
    assert titles(q='"slow yoga"') == ["Slow yoga class"]
    assert titles(q="hot or slow") == ["Hot yoga classes", "Slow yoga class"]


@pytest.mark.parametrize("q", ["the", "!!!", "'); drop table events; --", "a & | b", ":*", "\\", "-", '"', "%s", "ß"])
def test_search_accepts_any_text(world: World, q: str) -> None:
    make_event(world, "Yoga class")
    assert search(q=q).status == 200


def test_search_applies_all_filters(world: World) -> None:
    other = scheduling.world(world.db, city="Bern")
    here = {"location_id": str(world.location_id), "instructor_id": str(world.instructor_id)}
    make_event(world, "Zurich yoga", days=1, category="yoga", **here)
    make_event(world, "Zurich jazz", days=5, category="concert", price_cents=4900, **here)
    make_event(other, "Bern yoga", days=3, category="yoga", location_id=str(other.location_id), price_cents=1500)
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
def test_price_belongs_to_exactly_one_tier(world: World, price_cents: int, tier: str) -> None:
    make_event(world, "Yoga", price_cents=price_cents)

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
def test_availability_reflects_the_current_bookings(
    world: World, capacity: int | None, taken: int, word: str, left: int | None
) -> None:
    event_id = make_event(world, "Yoga", capacity=capacity)
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


def test_held_seats_are_not_available(world: World) -> None:
    event_id = make_event(world, "Yoga", capacity=2)
    scheduling.book(world, event_id, world.customer, 2)
    scheduling.wait(world, event_id, world.second_customer, 2)
    full = gateway.get("catalog", f"/events/{event_id}").body
    booking = world.db.execute("select id from events.bookings").fetchone()
    assert booking is not None
    gateway.post("cancel", f"/bookings/{booking['id']}/cancel", caller=world.customer)

    offered = gateway.get("catalog", f"/events/{event_id}").body

    assert (full["waitlisted"], full["waitlist_open"], full["booking_open"]) == (1, True, True)
    assert (offered["held"], offered["seats_left"], offered["availability"]) == (2, 0, "full")


def test_pages_list_every_event_once_in_order(world: World) -> None:
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


def test_private_draft_cancelled_and_past_events_are_not_listed(world: World) -> None:
    shown = make_event(world, "Shown")
    make_event(world, "Private", visibility="private")
    make_event(world, "Draft", status="draft")
    cancelled = make_event(world, "Cancelled")
    gateway.post("manage-events", f"/events/{cancelled}/cancel", caller=world.owner)
    past = make_event(world, "Past")
    world.db.execute("update events.events set starts_at = now() - interval '2 days' where id = %s", [past])

    assert [event["id"] for event in search().body["items"]] == [shown]
    assert titles(from_=(datetime.now(UTC) - timedelta(days=5)).isoformat()) == ["Shown"]


def test_private_and_draft_events_are_hidden_and_cancelled_ones_shown(world: World) -> None:
    private = make_event(world, "Private", visibility="private")
    draft = make_event(world, "Draft", status="draft")
    cancelled = make_event(world, "Cancelled")
    gateway.post("manage-events", f"/events/{cancelled}/cancel", {"reason": "Ill."}, caller=world.owner)

    for hidden in (private, draft, str(uuid4())):
        for path in (f"/events/{hidden}", f"/events/{hidden}/calendar.ics"):
            answer = gateway.get("catalog", path, caller=world.owner)
            assert (answer.status, answer.body["code"]) == (404, "event_not_found")
    shown = gateway.get("catalog", f"/events/{cancelled}").body
    assert (shown["status"], shown["status_reason"], shown["booking_open"]) == ("cancelled", "Ill.", False)


def test_event_shows_its_location_instructor_and_policy(world: World) -> None:
    event_id = make_event(
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
    bare = gateway.get("catalog", f"/events/{make_event(world, 'Bare')}").body
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
def test_invalid_query_is_refused(world: World, query: dict[str, Any]) -> None:
    answer = gateway.get("catalog", "/events", query=query)

    assert (answer.status, answer.body["code"]) == (422, "invalid_request")
    assert answer.body["errors"][0]["path"][0] == "query"


def test_public_responses_contain_no_email_address(world: World) -> None:
    """Public routes must not expose e-mail addresses, which the earlier system did."""
    event_id = make_event(world, "Yoga", location_id=str(world.location_id), instructor_id=str(world.instructor_id))
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


def test_organizations_are_listed_with_their_locations(world: World) -> None:
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


def test_responses_have_a_cache_lifetime_and_an_etag(world: World) -> None:
    event_id = make_event(world, "Yoga")
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


def test_booking_appears_in_the_next_response(world: World) -> None:
    event_id = make_event(world, "Yoga")
    before = {path: gateway.get("catalog", path) for path in ("/events", f"/events/{event_id}")}
    scheduling.book(world, event_id, world.customer, 2)

    for path, first in before.items():
        now = gateway.get("catalog", path, headers={"If-None-Match": first.headers["etag"]})
        event = now.body["items"][0] if "items" in now.body else now.body
        assert (now.status, event["seats_left"]) == (200, 10)
