"""The demo's data: complete after one run, unchanged after a second, and renewed when its events are past."""

import os
import tomllib
from pathlib import Path
from uuid import UUID

import pytest

from demo import load
from local.postgres import Server
from tests.kit import gateway
from tests.kit.scheduling import Database

PEOPLE = tomllib.loads((Path(load.__file__).parent / "people.toml").read_text())


@pytest.fixture
def url(db: Database, server: Server, database_name: str) -> str:
    """Return the owner's connection string of the test's database."""
    return server.url(database_name)


def counts(db: Database) -> dict[str, int]:
    row = db.execute(
        """
        select
            (select count(*) from users.profiles) as people, (select count(*) from events.series) as series,
            (select count(*) from events.events) as events, (select count(*) from events.bookings) as bookings,
            (select count(*) from organizations.memberships) as memberships
        """
    ).fetchone()
    assert row is not None
    return dict(row)


def test_demo_loaded_twice_creates_nothing_twice(db: Database, url: str) -> None:
    functions_url = os.environ["DATABASE_URL"]
    load.load(url)
    first = counts(db)
    load.load(url)

    assert counts(db) == first
    assert (first["people"], first["series"]) == (12, 5)
    assert first["events"] > 200
    assert first["bookings"] >= 5
    assert os.environ["DATABASE_URL"] == functions_url


def test_past_demo_event_is_created_again_in_the_future(db: Database, url: str) -> None:
    load.load(url)
    db.execute("update events.events set starts_at = starts_at - interval '300 days' where title = 'Tiny table tea'")
    load.load(url)

    rows = db.execute("select starts_at > now() as coming from events.events where title = 'Tiny table tea'").fetchall()
    assert sorted(row["coming"] for row in rows) == [False, True]


def test_demo_loads_when_its_events_are_full(db: Database, url: str) -> None:
    load.load(url)
    db.execute("delete from events.bookings")
    db.execute("delete from ops.idempotency_keys")
    db.execute("update events.inventory set capacity = 0")
    load.load(url)

    assert counts(db)["bookings"] == 0


def test_demo_contains_the_data_that_its_readers_expect(db: Database, url: str) -> None:
    load.load(url)
    first = next(iter(PEOPLE["organizations"].values()))

    assert first["members"]["ana"] == "owner"
    [tea] = gateway.get("catalog", "/events", query={"q": "tea"}).body["items"]
    assert (tea["capacity"], tea["price_cents"], tea["organization_id"]) == (3, 0, first["id"])
    titles = {event["title"] for event in gateway.get("catalog", "/events", query={"limit": 100}).body["items"]}
    assert "Weekend of silence" in titles
    assert not {"Team evening", "Summer party"} & titles
    for city in ("Zurich", "Auckland"):
        assert gateway.get("catalog", "/events", query={"city": city}).body["items"]
    assert all(UUID(person["id"]) for person in PEOPLE["people"].values())
