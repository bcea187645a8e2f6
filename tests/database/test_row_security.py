"""Test that every audience reads and writes exactly the rows of each table and partition that tables.txt lists.

The tables come from the catalog and the attempts are real. The tests of the harness break a policy, a partition, a
grant and the table of expectations.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import psycopg
import pytest
from psycopg.rows import dict_row

from local.postgres import Server
from marquee.core.settings import Login
from tests.kit.databases import TEMPLATE, Connection, api_url
from tests.kit.walk import attempts, catalog, expectations, world
from tests.kit.walk.attempts import Walk
from tests.kit.walk.catalog import Relation
from tests.kit.walk.expectations import Line
from tests.kit.walk.world import AUDIENCES, Audience, World

NAME = "walked"


@dataclass(frozen=True, slots=True)
class Walked:
    """A filled database: its relations, the results of the walk through them, and the expected lines."""

    relations: list[Relation]
    world: World
    found: Walk
    lines: dict[str, Line]


@pytest.fixture(scope="module")
def walked(server: Server) -> Iterator[Walked]:
    """Run one walk for all tests of this module."""
    with psycopg.connect(server.url(), autocommit=True) as owner:
        owner.execute(f"create database {NAME} template {TEMPLATE} strategy file_copy")
    with psycopg.connect(server.url(NAME), autocommit=True, row_factory=dict_row) as owner:
        said = world.fill(owner)
        relations = catalog.relations(owner)
        rows = world.look(owner, [one for one in relations if one.parent is None], said)
    found = attempts.walk(attempts.by_url(lambda login: api_url(server, NAME, login)), rows, relations)
    yield Walked(relations, rows, found, expectations.read_tables())
    with psycopg.connect(server.url(), autocommit=True) as owner:
        owner.execute(f"drop database {NAME} with (force)")


@pytest.fixture
def owner(server: Server, walked: Walked) -> Iterator[Connection]:
    """Return the owner's connection to the filled database, in a transaction that is rolled back."""
    with psycopg.connect(server.url(NAME), row_factory=dict_row) as connection:
        yield connection
        connection.rollback()


def walk_again(owner: Connection, walked: Walked, *names: str) -> Walked:
    """Walk through some relations again, as the logins of the functions within the owner's transaction."""
    relations = [relation for relation in catalog.relations(owner) if relation.name in names]

    @contextmanager
    def log_in(login: Login) -> Iterator[Connection]:
        owner.execute(f"set local session authorization {login}")
        try:
            yield owner
        finally:
            owner.execute("reset session authorization")

    found = attempts.walk(log_in, walked.world, relations)
    return replace(walked, relations=relations, found=found)


def broken(walked: Walked, audience: Audience) -> list[str]:
    there = {relation.name for relation in walked.relations} & walked.lines.keys()
    lines = [walked.lines[name] for name in sorted(there)]
    return [said for line in lines for said in expectations.broken(line, walked.found, walked.world, audience)]


def all_broken(walked: Walked) -> list[str]:
    return [said for audience in AUDIENCES for said in broken(walked, audience)]


def test_tables_and_lines_of_the_table_match(walked):
    assert expectations.unlisted(walked.relations, walked.lines) == []


@pytest.mark.parametrize("audience", AUDIENCES, ids=lambda audience: audience.name)
def test_audience_reads_and_writes_the_rows_that_the_table_lists(walked, audience):
    assert broken(walked, audience) == []


def test_no_partition_is_accessible_directly(walked):
    partitions = [relation for relation in walked.relations if relation.parent is not None]

    assert len(partitions) > 20
    assert expectations.reachable(partitions, walked.found) == []


def test_row_security_is_on_for_every_table_and_partition(walked):
    assert expectations.unsecured(walked.relations) == []


def test_every_cell_of_the_table_is_proved_by_included_and_excluded_rows(walked):
    lines = [walked.lines[name] for name in sorted(walked.world.rows.keys() & walked.lines.keys())]

    assert [said for line in lines for said in expectations.unproven(line, walked.world)] == []


def test_no_column_has_its_own_grant(owner):
    """Check column grants separately, because the walk reads whole rows. Use a view to show fewer columns."""
    granted = catalog.rows(
        owner,
        f"""
        select format('%%I.%%I.%%I', n.nspname, a.attrelid::regclass, a.attname)
        from pg_attribute as a
        inner join pg_class as c on c.oid = a.attrelid
        inner join {catalog.OURS} as n on n.oid = c.relnamespace
        where a.attacl is not null
        """,
    )

    assert granted == []


# Tests of the harness: it must detect each of these faults.


def test_new_table_without_a_line_is_reported_with_instructions(owner, walked):
    owner.execute("create schema novelties; create table novelties.things (id integer primary key)")

    said = expectations.unlisted(catalog.relations(owner), walked.lines)

    assert f"novelties.things has no line in tables.txt. {expectations.HOW}" in said
    assert expectations.unsecured(catalog.relations(owner)) == ["row security is off: novelties.things"]


def test_line_of_a_dropped_table_is_reported(owner, walked):
    owner.execute("drop table messaging.deliveries cascade")

    said = expectations.unlisted(catalog.relations(owner), walked.lines)

    assert "tables.txt has a line for messaging.deliveries, which is not there" in said


def test_policy_that_shows_too_much_is_detected(owner, walked):
    owner.execute("create policy mistake on events.bookings for select to authenticated using (true)")

    said = broken(walk_again(owner, walked, "events.bookings"), AUDIENCES[1])

    assert [line.partition(", too much")[0] for line in said] == [
        "events.bookings: customer may select all, expected mine"
    ]


def test_policy_that_trusts_the_tokens_organization_is_detected(owner, walked):
    owner.execute(
        "create policy mistake on events.series for select to authenticated "
        "using (organization_id = (ops.claims() ->> 'org_id')::uuid)"
    )

    said = broken(walk_again(owner, walked, "events.series"), AUDIENCES[1])

    assert len(said) == 1
    assert "events.series: customer may select 4 of 6 rows, expected public" in said[0]


def test_policy_that_shows_too_little_is_detected(owner, walked):
    owner.execute("drop policy staff on events.holds")

    said = all_broken(walk_again(owner, walked, "events.holds"))

    assert [line.partition(", missing")[0] for line in said] == [
        f"events.holds: {who} may select mine, expected mine+ours" for who in ("other_owner", "viewer", "owner")
    ]


def test_write_grant_is_detected_with_the_rows_that_it_reaches(owner, walked):
    owner.execute(
        "grant insert, update, delete on messaging.notifications to authenticated; "
        "create policy mistake on messaging.notifications for all to authenticated using (user_id = ops.caller_id())"
    )

    said = broken(walk_again(owner, walked, "messaging.notifications"), AUDIENCES[1])

    assert [line.partition(", too much")[0] for line in said] == [
        f"messaging.notifications: customer may {operation} mine, expected denied"
        for operation in ("insert", "update", "delete")
    ]


def test_delete_grant_on_unreadable_rows_is_detected(owner, walked):
    owner.execute(
        "grant delete on messaging.notifications to authenticated; "
        "create policy mistake on messaging.notifications for delete to authenticated using (true)"
    )

    said = broken(walk_again(owner, walked, "messaging.notifications"), AUDIENCES[1])

    assert len(said) == 1
    assert attempts.UNSEEN in said[0]


def test_partition_without_row_security_is_detected(owner, walked):
    owner.execute("alter table events.events_default disable row level security")

    assert expectations.unsecured(catalog.relations(owner)) == ["row security is off: events.events_default"]


def test_partition_that_can_be_read_directly_is_detected(owner, walked):
    owner.execute(
        "grant select on events.events_default to app_read; "
        "alter table events.events_default disable row level security"
    )

    again = walk_again(owner, walked, "events.events_default")

    assert len(expectations.reachable(again.relations, again.found)) == len(AUDIENCES)


def test_table_without_rows_is_reported(walked):
    line = walked.lines["events.holds"]
    bare = replace(walked.world, rows={**walked.world.rows, "events.holds": []})

    [said] = expectations.unproven(line, bare)

    assert said.startswith("events.holds has no row to look at: add rows in tests/database/walk/rows/")
    assert expectations.unproven(replace(line, empty="filled by the next release"), bare) == []
    assert expectations.unproven(replace(line, empty="it was"), walked.world) == [
        "events.holds is declared empty and has rows"
    ]


def test_cell_that_the_rows_do_not_prove_is_reported(walked):
    cells = {**walked.lines["users.profiles"].cells, ("owner", "select"): "mine+ours"}

    said = expectations.unproven(replace(walked.lines["users.profiles"], cells=cells), walked.world)

    assert len(said) == 1
    assert "users.profiles: owner, ours adds no row to mine+ours" in said[0]


def test_printed_lines_equal_the_lines_of_the_table(walked):
    text = expectations.TABLES.read_text()

    for table, line in walked.lines.items():
        assert line.text() in text
        if table in walked.world.rows:
            assert expectations.observed(table, walked.found, walked.world).text() == line.text()
