"""A database of the landed release, with rows in its tables, becomes the newest one and keeps its rows."""

import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import tuple_row

from marquee.core import migrations
from scripts import schema
from tests.kit.databases import SQL, TEMPLATE
from tests.kit.walk import world

LANDED = 97
"""The number of the last migration that runs in other databases already."""
RELEASE = Path(__file__).with_name(f"release_{LANDED:04}.tar.xz")
"""The routines and views of that release, and its files of tests/database/walk/rows."""
REWRITTEN = {"ops.repeatables", "ops.retention"}
"""Tables whose rows belong to the release: checksums of its files, and its rules of retention."""

TABLES = """
select c.oid::regclass::text
from pg_class as c
where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = any(%s::regnamespace[])
"""
DEFINITIONS = """
select p.oid::regprocedure::text, pg_get_functiondef(p.oid)
from pg_proc as p
where
    p.prokind in ('f', 'p')
    and p.pronamespace = any(%(schemas)s::regnamespace[])
    and not exists (select from pg_depend as d where d.objid = p.oid and d.deptype = 'e')
union all
select v.oid::regclass::text, pg_get_viewdef(v.oid)
from pg_class as v
where v.relkind = 'v' and v.relnamespace = any(%(schemas)s::regnamespace[])
"""


@pytest.fixture
def url(server, tmp_path) -> Iterator[str]:
    """Create a database of the landed release with rows of every table, and return its URL."""
    with tarfile.open(RELEASE) as archive:
        archive.extractall(tmp_path, filter="data")
    (tmp_path / "migrations").mkdir()
    for file in (SQL / "migrations").iterdir():
        if int(file.name[:4]) <= LANDED:
            shutil.copy(file, tmp_path / "migrations")
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("create database landed")
        try:
            with psycopg.connect(server.url("landed"), autocommit=True) as landed:
                migrations.migrate(landed, tmp_path)
                with landed.transaction():
                    world.fill(landed, tmp_path / "rows")
            yield server.url("landed")
        finally:
            connection.execute("drop database landed with (force)")


def schemas(connection: psycopg.Connection[Any]) -> list[str]:
    query = "select nspname::text from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'"
    return [name for (name,) in connection.execute(query).fetchall()]


def definitions(url: str) -> dict[str, str]:
    """Return the text of each routine and view."""
    with psycopg.connect(url, row_factory=tuple_row) as connection:
        return dict(connection.execute(DEFINITIONS, {"schemas": schemas(connection)}).fetchall())


def rows(url: str) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of every table as JSON."""
    with psycopg.connect(url, row_factory=tuple_row) as connection:
        return {
            table: [
                row
                for (row,) in connection.execute(
                    sql.SQL("select to_jsonb(t) from {} as t").format(sql.Identifier(*table.split(".")))
                )
            ]
            for (table,) in connection.execute(TABLES, [schemas(connection)]).fetchall()
        }


def test_landed_database_becomes_the_newest_one_and_keeps_its_rows(server, url):
    before = rows(url)
    assert [table for table, there in before.items() if not there] == []

    with psycopg.connect(url, autocommit=True) as connection:
        for phase in ("pre", "post"):
            migrations.migrate(connection, SQL, phase)
        assert migrations.pending(connection, SQL) == []

    new = server.url(TEMPLATE)
    assert schema.dump(url) == schema.dump(new)
    assert definitions(url) == definitions(new)
    after = rows(url)
    lost = [
        (table, row)
        for table, there in before.items()
        if table not in REWRITTEN
        for row in there
        if not any(row.items() <= kept.items() for kept in after.get(table, []))
    ]
    assert lost == [], "Keep these rows and their columns, or list the table as rewritten."
