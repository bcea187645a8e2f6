"""Query plans of the catalog: the partitions and indexes that a search reads, and its number of statements."""

import itertools
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row

from local.postgres import Server
from marquee.catalog import calendars, details, search
from marquee.core import database, identity
from tests.kit import scheduling
from tests.kit.databases import TEMPLATE, api_url
from tests.kit.scheduling import Database, World

EVENTS = 20_000
BUFFERS_MOST = 1000
NAME = "catalog_plans"


@pytest.fixture(scope="module")
def loaded(server: Server) -> Iterator[World]:
    """Create 20,000 events over half a year, once, because these tests only read or roll back."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"create database {NAME} template {TEMPLATE}")
    with psycopg.connect(server.url(NAME), autocommit=True, row_factory=dict_row) as connection:
        yield load(connection)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"drop database {NAME} with (force)")


@pytest.fixture
def world(loaded: World, server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Open a transaction that is rolled back, and set DATABASE_URL for the functions."""
    monkeypatch.setenv("DATABASE_URL", api_url(server, NAME))
    with loaded.db.transaction(force_rollback=True):
        yield loaded
    database.disconnect()


def load(db: Database) -> World:
    """Create organizations, places and instructors with 20,000 events in four languages, in no order of their start.

    The indexes of lexemes are built afterwards, as the triggers would take a minute.
    """
    made = scheduling.world(db)
    indexes = db.execute(
        "select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as text from pg_index"
        " where indexrelid in ('events.listings_by_lexemes'::regclass, 'events.scarce_listings_by_lexemes'::regclass)"
    ).fetchall()
    for index in indexes:
        db.execute(f"drop index {index['name']}")
    db.execute("select setseed(0.5)")
    db.execute(
        """
        insert into organizations.organizations (slug, name, country, currency, time_zone)
        select 'studio-' || n, 'Studio ' || n, 'CH', 'CHF', 'Europe/Zurich' from generate_series(1, 20) as n;

        insert into organizations.locations (organization_id, name, city, country, time_zone)
        select o.id, (array['Lake room', 'Botanical Garden', 'Loft'])[n],
            (array['Zürich', 'Bern', 'Genève', 'Basel', 'Thun'])[1 + (row_number() over ()) % 5], 'CH', 'Europe/Zurich'
        from organizations.organizations as o, generate_series(1, 3) as n;

        insert into organizations.instructors (organization_id, name)
        select o.id, (array['Béatrice', 'Carlo', 'Dörte'])[n] || ' ' || o.name
        from organizations.organizations as o, generate_series(1, 3) as n
        """
    )
    db.execute(
        """
        insert into events.events (
            starts_at, ends_at, organization_id, series_id, title, description, category, language, time_zone,
            price_cents, currency, location_id, instructor_id, policy
        )
        select
            s.starts_at, s.starts_at + interval '1 hour', o.id, null,
            (array['Morning yoga class', 'Jazz concert', 'Wine tasting', 'Photography workshop'])[1 + s.n %% 4],
            'With friends and music, number ' || s.n, (array['yoga', 'concert', 'food', 'workshop'])[1 + s.n %% 4],
            (array['en', 'de', 'fr', 'it'])[1 + s.n %% 3], 'Europe/Zurich', (s.n %% 8) * 1000, 'CHF',
            o.places[1 + s.n %% 3], o.people[1 + s.n %% 2], '{}'
        from (
            select n, now() + interval '1 hour' + random() * interval '166 days' as starts_at
            from generate_series(1, %(events)s) as n
        ) as s
        inner join (
            select
                o.id, row_number() over () as number, count(*) over () as total,
                array(select l.id from organizations.locations as l where l.organization_id = o.id) as places,
                array(select i.id from organizations.instructors as i where i.organization_id = o.id) as people
            from organizations.organizations as o
            where exists (select from organizations.locations as l where l.organization_id = o.id)
        ) as o on o.number = 1 + s.n %% o.total
        """,
        {"events": EVENTS},
    )
    db.execute(
        """
        insert into events.inventory (event_id, capacity, taken)
        select
            t.event_id, case when t.hash % 10 = 0 then null else 12 end,
            case when t.hash % 10 = 1 then 12 else t.hash % 11 end
        from (select e.id as event_id, abs(hashtext(e.description)) as hash from events.events as e) as t
        """
    )
    for index in indexes:
        db.execute(index["text"])
    db.execute("vacuum analyze events.events, events.terms, events.inventory, events.listings, events.scarce_listings")
    return made


def partitions(plan: str) -> set[str]:
    """Return the partitions of events that a plan executed."""
    touched = set()
    for line, following in zip(plan.splitlines(), [*plan.splitlines()[1:], ""], strict=True):
        found = re.search(r" on (events_(?:\d{4}_\d\d|default))", line)
        if found and "never executed" not in line + following:
            touched.add(found[1])
    return touched


WORDS = {
    "a frequent word": {"q": "yoga"},
    "two words": {"q": "jazz concert"},
    "a phrase": {"q": '"jazz concert"'},
    "a word of every description": {"q": "music"},
    "rare words": {"q": "number 17321"},
    "no match": {"q": "nothing-at-all"},
    "a prefix": {"q": "photog"},
    "a prefix of titles": {"q": "ph"},
    "a prefix of all names": {"q": "st"},
    "a prefix of all descriptions": {"q": "wi"},
    "a place": {"q": "garden"},
    "a city": {"q": "zurich"},
    "an instructor": {"q": "beatrice"},
    "an organizer": {"q": "studio 7"},
    "an excluded word": {"q": "morning -wine"},
}
FILTERS: dict[str, dict[str, Any]] = {
    "city": {"city": "Zurich"},
    "a week": {"days": (40, 47)},
    "late": {"days": (150, 1000)},
    "organization": {"organization_id": "select organization_id as id from events.listings limit 1"},
    "instructor": {"instructor_id": "select instructor_id as id from events.listings limit 1"},
    "category": {"category": "yoga"},
    "parent category": {"category": "fitness"},
    "free": {"price": "free"},
    "cheap": {"price": "under_20"},
    "expensive": {"price": "more"},
    "full": {"availability": "full"},
    "filling": {"availability": "filling"},
    "available": {"availability": "available"},
    "unlimited": {"availability": "unlimited"},
    "series": {"series_id": "select gen_random_uuid() as id"},
}
ALL = WORDS | FILTERS
TRIPLES = [
    ("a frequent word", "city", "a week"),
    ("a frequent word", "city", "free"),
    ("a frequent word", "organization", "available"),
    ("a place", "category", "available"),
    ("a prefix", "city", "available"),
    ("city", "category", "full"),
    ("city", "filling", "expensive"),
    ("a city", "filling", "expensive"),
    ("a prefix of all names", "city", "filling"),
    ("city", "free", "available"),
    ("city", "a week", "expensive"),
    ("organization", "instructor", "available"),
]
MIXTURES = [(), *((name,) for name in ALL), *itertools.combinations(ALL, 2), *TRIPLES]


def _arguments(db: Database, names: tuple[str, ...]) -> dict[str, Any] | None:
    """Return the arguments of a mixture, or None if two filters are of the same kind."""
    given: dict[str, Any] = {}
    for name in names:
        for key, value in ALL[name].items():
            if key in given or (key == "days" and "starts_from" in given):
                return None
            if key == "days":
                now = datetime.now(UTC)
                given |= {
                    "starts_from": now + timedelta(days=value[0]),
                    "starts_before": now + timedelta(days=value[1]),
                }
            elif key.endswith("_id"):
                row = db.execute(value).fetchone()
                assert row is not None
                given[key] = row["id"]
            else:
                given[key] = value
    return given


def _buffers(db: Database, arguments: dict[str, Any]) -> tuple[int, list[dict[str, Any]]]:
    """Return the buffers that a page reads, and its rows."""
    plan = db.execute(f"explain (analyze, buffers, format json) {_statement(arguments)}", arguments).fetchone()
    assert plan is not None
    top = plan["QUERY PLAN"][0]["Plan"]
    return top["Shared Hit Blocks"] + top["Shared Read Blocks"], _rows(db, arguments)


def _rows(db: Database, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    return db.execute(_statement(arguments), arguments).fetchall()


def _statement(arguments: dict[str, Any]) -> str:
    given = ", ".join(f"{name} => %({name})s" for name in arguments)
    return f"select s.rank, (s.listing).starts_at, (s.listing).id from events.search_listings({given}) as s"


def test_every_usual_mixture_reads_at_most_a_thousand_buffers(world: World) -> None:
    """Three pages of each filter, of each two filters, and of usual triples.

    The bound does not grow with the table, because a page reads blocks of time with at most 120 matches each.
    """
    most, asked = {}, 0
    for names in MIXTURES:
        arguments = _arguments(world.db, names)
        if arguments is None:
            continue
        arguments["most"] = 21
        _buffers(world.db, arguments)  # the first time also reads the system's catalogs
        for number in range(3):
            buffers, rows = _buffers(world.db, arguments)
            asked += 1
            most[" + ".join(names), number] = buffers
            if len(rows) < 21:
                break
            last = rows[-2]
            arguments |= {"after_rank": last["rank"], "after_starts_at": last["starts_at"], "after_id": last["id"]}

    worst = sorted(most.items(), key=lambda item: -item[1])
    assert asked > 400
    assert [item for item in worst if item[1] > BUFFERS_MOST] == []


def test_mixtures_return_the_events_that_a_plain_query_returns(world: World) -> None:
    """The blocks of time, the set of scarce events and the ranks neither lose nor repeat an event."""
    plain = """
        select l.event_id
        from events.listings as l
        inner join events.inventory as i on i.event_id = l.event_id
        where
            (%(words)s::tsquery is null or l.lexemes @@ %(words)s::tsquery)
            and (%(city)s::text is null or events.folded(l.city) = events.folded(%(city)s))
            and (%(category)s::text is null or l.category = %(category)s)
            and (%(price)s::text is null or l.price_tier = %(price)s)
            and (
                %(availability)s::text is null
                or events.availability_v2(i.capacity, events.seats_left(i)) = %(availability)s
            )
            and l.starts_at >= now()
    """
    for q, city, category, price, availability in itertools.product(
        [None, "yoga", "garden photog", "wi", "morning -studio or jazz"],
        [None, "Zurich"],
        [None, "yoga"],
        [None, "more"],
        [None, "full", "filling", "available", "unlimited"],
    ):
        given = {"q": q, "city": city, "category": category, "price": price, "availability": availability}
        query = world.db.execute("select prefixed::text from events.search_terms(%s)", [q]).fetchone() if q else None
        expected = world.db.execute(plain, {**given, "words": query["prefixed"] if query else None}).fetchall()
        found, after = [], {"after_rank": None, "after_starts_at": None, "after_id": None}
        while True:
            rows = _rows(world.db, {**given, **after, "most": 3000})
            found += rows
            if len(rows) < 3000:
                break
            last = rows[-1]
            after = {"after_rank": last["rank"], "after_starts_at": last["starts_at"], "after_id": last["id"]}
        keys = [(row["rank"], row["starts_at"], row["id"]) for row in found]
        assert keys == sorted(keys), given
        assert sorted(row["id"] for row in found) == sorted(row["event_id"] for row in expected), given


def test_event_details_and_calendar_read_one_partition(world: World) -> None:
    row = world.db.execute("select event_id, starts_at from events.terms order by starts_at desc limit 1").fetchone()
    assert row is not None
    for view, key in (("event_details", "id"), ("calendar_entries", "event_id")):
        lines = world.db.execute(
            f"""
            explain (analyze, costs off)
            select d.*
            from events.{view} as d
            where
                d.{key} = %(event_id)s
                and d.starts_at = (select t.starts_at from events.terms as t where t.event_id = %(event_id)s)
            """,
            row,
        ).fetchall()
        plan = "\n".join(line["QUERY PLAN"] for line in lines)
        assert partitions(plan) == {f"events_{row['starts_at'].astimezone(UTC):%Y_%m}"}, plan


@pytest.mark.parametrize(
    "query",
    [
        search.EventQuery(),
        search.EventQuery(q="classes"),
        search.EventQuery(q="number 17321"),
        search.EventQuery(q="nothing-at-all"),
        search.EventQuery(city="Zurich", category="fitness"),
        search.EventQuery(availability="unlimited", price="more"),
        search.EventQuery(instructor_id=UUID("0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a")),
    ],
    ids=str,
)
def test_search_page_is_one_statement(world: World, query: search.EventQuery) -> None:
    with database.single(identity.anonymous()) as session:
        search.search(session, query, 20, None)

    assert (session.statements, session.round_trips) == (1, 1)


def test_event_details_and_calendar_take_one_round_trip(world: World) -> None:
    row = world.db.execute("select event_id from events.terms limit 1").fetchone()
    assert row is not None
    for read in (details.get, calendars.write_event_calendar):
        with database.single(identity.anonymous()) as session:
            read(session, row["event_id"])
        assert session.round_trips == 1


def test_public_search_returns_exactly_the_rows_of_row_level_security(world: World) -> None:
    """The routine runs as its owner to use the text index, and must return exactly the rows that policies allow."""
    chosen = "(select e.id from events.events as e order by e.id offset %s limit 500)"
    world.db.execute(f"update events.events set visibility = 'private' where id in {chosen}", [0])
    world.db.execute(f"update events.events set status = 'cancelled' where id in {chosen}", [500])
    world.db.execute("select ops.act_as('{}')")

    found = world.db.execute("select (s.listing).id from events.search_listings(most => 100000) as s").fetchall()
    allowed = world.db.execute(
        "select e.id from events.events as e where e.status = 'scheduled' and e.starts_at >= statement_timestamp()"
    ).fetchall()

    assert len(found) == len(allowed) == EVENTS - 1000
    assert {row["id"] for row in found} == {row["id"] for row in allowed}
