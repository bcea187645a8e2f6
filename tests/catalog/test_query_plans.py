"""Query plans of the catalog: the partitions and indexes that a search reads, and its number of statements."""

import re
from collections.abc import Callable, Iterator
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
    """Create an organization with 20,000 events in three languages."""
    made = scheduling.world(db)
    db.execute(
        """
        insert into events.events (
            id, starts_at, ends_at, organization_id, title, description, category, language, time_zone, price_cents,
            currency, location_id, instructor_id, policy
        )
        select
            ops.uuid_v7(), s.starts_at, s.starts_at + interval '1 hour', %(organization_id)s,
            (array['Morning yoga class', 'Jazz concert', 'Wine tasting', 'Photography workshop'])[1 + s.n %% 4],
            'With friends and music, number ' || s.n, (array['yoga', 'concert', 'food', 'workshop'])[1 + s.n %% 4],
            (array['en', 'de', 'fr'])[1 + s.n %% 3], 'Europe/Zurich', (s.n %% 8) * 1000, 'CHF', %(location_id)s,
            %(instructor_id)s, '{}'
        from (
            select n, now() + n * interval '12 minutes' as starts_at from generate_series(1, %(events)s) as n
        ) as s
        """,
        {
            "organization_id": made.organization_id,
            "location_id": made.location_id,
            "instructor_id": made.instructor_id,
            "events": EVENTS,
        },
    )
    db.execute(
        "insert into events.inventory (event_id, capacity)"
        " select t.event_id, case when random() < 0.1 then null else 12 end from events.terms as t"
    )
    db.execute("vacuum analyze events.events, events.terms, events.inventory")
    return made


@pytest.fixture
def statement_of(world: World) -> Callable[..., str]:
    """Return a function that explains the statement of a search."""
    return lambda **arguments: _statement(world.db, arguments)


def _statement(db: Database, arguments: dict[str, Any]) -> str:
    """Return the plan of a search from a copy of the routine that explains its statement."""
    source = db.execute("select pg_get_functiondef('events.search_events'::regproc) as text").fetchone()
    assert source is not None
    traced = re.sub(r"FUNCTION events\.search_events", "FUNCTION pg_temp.search_events", source["text"], count=1)
    traced = re.sub(r"RETURNS SETOF events\.event_listing", "RETURNS SETOF text", traced, count=1)
    traced = re.sub(r"\bSTABLE\b", "VOLATILE", traced, count=1)
    traced = traced.replace(
        "return query execute format(", "return query execute 'explain (analyze, costs off) ' || format(", 1
    )
    db.execute(traced)
    given = ", ".join(f"{name} => %({name})s" for name in arguments)
    rows = db.execute(f"select e as line from pg_temp.search_events({given}) as e", arguments).fetchall()
    return "\n".join(row["line"] for row in rows)


def partitions(plan: str) -> set[str]:
    """Return the partitions of events that a plan executed."""
    touched = set()
    for line, following in zip(plan.splitlines(), [*plan.splitlines()[1:], ""], strict=True):
        found = re.search(r" on (events_(?:\d{4}_\d\d|default))", line)
        if found and "never executed" not in line + following:
            touched.add(found[1])
    return touched


def months(first: datetime, last: datetime) -> set[str]:
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return {f"events_{day:%Y_%m}" for day in days} | {f"events_{last:%Y_%m}"}


def test_search_reads_only_the_partitions_of_its_window(statement_of: Callable[..., str]) -> None:
    """A search scans no partition outside its window."""
    first = datetime.now(UTC) + timedelta(days=40)
    last = first + timedelta(days=10)

    plan = statement_of(starts_from=first, starts_before=last)

    assert set(re.findall(r" on (events_(?:\d{4}_\d\d|default)) ", plan)) == months(first, last)
    assert partitions(plan) <= months(first, last)


def test_search_without_dates_skips_past_partitions(statement_of: Callable[..., str]) -> None:
    touched = partitions(statement_of())
    this_month = f"events_{datetime.now(UTC):%Y_%m}"

    assert this_month in touched
    assert all(name >= this_month for name in touched)


def test_page_is_read_in_index_order(statement_of: Callable[..., str]) -> None:
    plan = statement_of()

    assert "starts_at_id_idx" in plan
    assert max(int(rows) for rows in re.findall(r"rows=(\d+)", plan)) <= 21


def test_search_for_a_rare_word_uses_the_text_index(statement_of: Callable[..., str]) -> None:
    plan = statement_of(q="17321")

    assert "search_idx" in plan
    assert "Seq Scan on events_" not in re.sub(r"Seq Scan on events_\S+ \S+ \(actual[^)]*rows=0[^)]*\)", "", plan)


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

    found = world.db.execute("select s.id from events.search_events(most => 100000) as s").fetchall()
    allowed = world.db.execute(
        "select e.id from events.events as e where e.status = 'scheduled' and e.starts_at >= statement_timestamp()"
    ).fetchall()

    assert len(found) == len(allowed) == EVENTS - 1000
    assert {row["id"] for row in found} == {row["id"] for row in allowed}
