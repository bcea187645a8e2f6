"""A database is given to the next test only if it equals a new copy (tests/kit/reused_databases.py)."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from local.postgres import Server
from tests.kit import routines, stages
from tests.kit.databases import copy_database, drop_database
from tests.kit.reused_databases import USES_MOST, ReusedDatabase

NAME = "reused"

TABLES = """
select format('%I.%I', n.nspname, c.relname) as name
from pg_class as c
inner join pg_namespace as n on n.oid = c.relnamespace
where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema')
"""
SEQUENCES = "select schemaname, sequencename, last_value from pg_sequences order by 1, 2"

CHANGES = {
    "a table": "create table public.left_behind ()",
    "a column": "alter table events.inventory add column left_behind integer",
    "a routine": "alter function ops.uuid_v7() cost 7",
    "a trigger": "alter table events.bookings disable trigger all",
    "a policy": "create policy left_behind on events.bookings using (true)",
    "a right": "grant delete on events.bookings to app_read",
    "a default": "alter table events.inventory alter column capacity set default 5",
    "a setting": f"alter database {NAME} set timezone = 'Asia/Tokyo'",
    "a right to the database": f"grant temporary on database {NAME} to app_read",
    "statistics": "analyze ref.event_categories",
}


@pytest.fixture
def reused(server: Server, copier: psycopg.Connection[Any]) -> Iterator[ReusedDatabase]:
    copy_database(copier, NAME)
    database = ReusedDatabase(NAME, server.url(NAME))
    yield database
    database.close()
    drop_database(copier, NAME)


def contents(database: ReusedDatabase) -> dict[str, Any]:
    """Return the rows of each table, and the sequences."""
    connection = database.connect()
    found = {
        row["name"]: connection.execute(f"select t::text from only {row['name']} as t order by 1").fetchall()
        for row in connection.execute(TABLES).fetchall()
    }
    found["sequences"] = connection.execute(SEQUENCES).fetchall()
    database.give_back(connection)
    return found


def test_rows_and_sequences_are_those_of_a_new_copy(reused: ReusedDatabase) -> None:
    new = contents(reused)
    db = reused.connect()
    stage = stages.create(db)
    customer_id = stage.customer()
    event_id = stage.event()
    routines.book(db, event_id, customer_id)
    db.execute("update ops.limits set value = value + 1")
    db.execute("delete from ref.tax_rates where country = 'FR'")
    assert contents(reused) != new
    reused.give_back(db)

    assert reused.refill()

    assert contents(reused) == new


def test_refilled_database_can_be_refilled_again(reused: ReusedDatabase) -> None:
    new = contents(reused)
    for _ in range(3):
        db = reused.connect()
        stages.create(db).customer()
        reused.give_back(db)
        assert reused.refill()
        assert contents(reused) == new


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_database_with_another_schema_is_not_reused(reused: ReusedDatabase, change: str) -> None:
    db = reused.connect()
    db.execute(change)
    reused.give_back(db)

    assert not reused.refill()


def test_transactions_and_connections_of_the_test_end(reused: ReusedDatabase, server: Server) -> None:
    with psycopg.connect(server.url(NAME)) as forgotten:
        forgotten.execute("select from events.inventory for update")

        assert reused.refill()

        with pytest.raises(psycopg.OperationalError):
            forgotten.execute("select 1")


def test_connection_is_renewed(reused: ReusedDatabase) -> None:
    db = reused.connect()
    db.autocommit = False
    db.execute("select pg_advisory_lock(1), set_config('tests.delays', 'off', false)")
    db.execute("set role app_read")
    reused.give_back(db)

    again = reused.connect()

    assert again is db
    assert again.autocommit
    row = again.execute(
        "select current_user::text as name, coalesce(current_setting('tests.delays', true), '') as delays,"
        " (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()) as locks"
    ).fetchone()
    assert row == {"name": "postgres", "delays": "", "locks": 0}
    reused.give_back(again)


def test_database_is_replaced_after_many_uses(reused: ReusedDatabase) -> None:
    assert [reused.refill() for _ in range(USES_MOST)] == [True] * (USES_MOST - 1) + [False]
