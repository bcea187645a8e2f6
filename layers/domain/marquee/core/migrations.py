"""Migrates a database's structure from a folder of SQL.

    migrations/NNNN_name.pre.sql              runs once, before the new code does
    migrations/NNNN_name.post.sql             runs once, after the old code is gone
    routines/<schema>/<subject>/<name>.sql    runs again whenever its text changed
    views/<schema>/<name>.sql                 the same

    python -m marquee.core.migrations apply --url postgresql://… --sql sql

A run is one transaction under one lock, so two deployers do not race, and an interrupted run changes nothing. After
it, ops.continue_migration fills new tables in steps that each commit.

Migrations run in the order of their numbers on every database, new or old. Within a release the numbers of post follow
those of pre. So a post with a lower number than a pending pre belongs to an earlier release, whose old code no longer
runs, and it runs in its turn. The views that changed since are dropped first, and created again with the routines.
Migrations call no routines, because on a new database routines are created after them. A database may know newer files
than the folder holds: then a deployment is being rolled back.
"""

import argparse
import os
import re
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, LiteralString

import psycopg
from psycopg.rows import tuple_row

from marquee.core import repeatable_sql, settings
from marquee.core.sqlfiles import MigrationError, SqlFile, execute, failure, read, without_subjects

__all__ = ["MigrationError", "Phase", "Report", "migrate", "pending"]

Phase = Literal["pre", "post", "all"]
Say = Callable[[str], None]

LOCK_SECONDS_MAX = 30
SERVER_VERSION_MIN = 16

_MIGRATION = re.compile(r"(?P<number>\d{4})_[a-z0-9_]+\.(?P<phase>pre|post)\.sql")
_EXTENSION = re.compile(r'^create extension (if not exists )?"?(?P<name>[\w-]+)"?', re.IGNORECASE | re.MULTILINE)
_LOCK_KEY = 7_242_771_853

# Traffic continues meanwhile, so a migration gives up and is retried instead of queueing every request behind a lock. A
# deployer that stopped is noticed while its statement runs, so that its lock is released.
_SETTINGS: LiteralString = """
set local lock_timeout = '30s';
set local statement_timeout = 0;
set local idle_in_transaction_session_timeout = 0;
set local client_min_messages = warning;
set local client_connection_check_interval = '1s';
"""

_BOOKKEEPING: LiteralString = """
create schema if not exists ops;
create table if not exists ops.migrations (
    file text primary key,
    checksum text not null,
    applied_at timestamptz not null default clock_timestamp()
);
create table if not exists ops.repeatables (
    file text primary key,
    checksum text not null,
    applied_at timestamptz not null default clock_timestamp()
);
alter table ops.migrations enable row level security;
alter table ops.repeatables enable row level security;
comment on table ops.migrations is 'The migrations that ran, with the checksums of their files.';
comment on table ops.repeatables is
'The routines and views that exist, with the checksums of their files.';
"""


@dataclass(frozen=True, slots=True)
class Report:
    """The files that a run executed, in order; `orphans` are files that the database knows and the folder lacks."""

    migrations: list[str] = field(default_factory=list)
    repeatables: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)


def migrate(
    connection: psycopg.Connection[Any], folder: Path, phase: Phase = "all", say: Say = lambda line: None
) -> Report:
    """Run the pending files of `phase`: `pre` with routines and views, `post`, or `all`. Commits.

    `connection` is the owner's, with no transaction open. Raises MigrationError; then nothing was changed.
    """
    _check_folder(folder)
    check_server(connection)
    with connection.transaction():
        connection.execute(_SETTINGS)
        _lock(connection)
        connection.execute(_BOOKKEEPING)
        before, after = _due(connection, folder)
        _check_extensions(connection, [*before, *after])
        if phase == "post" and before:
            raise MigrationError(f"{before[0].name} is pending. Run the pre phase first.")
        report = Report()
        if phase != "post":
            if any(file.name.endswith(".post.sql") for file in before):
                repeatable_sql.drop_changed_views(connection, folder, _known(connection))
            _run(connection, before, report, say)
            _make(connection, folder, report, say)
        if phase != "pre":
            _run(connection, after, report, say)
        if phase != "post":
            _prepare(connection)
        repeatable_sql.forget_the_gone(connection, folder)
        report.orphans.extend(sorted(_known(connection).keys() - _in_folder(folder)))
    if phase != "post":
        _continue(connection)
    return report


def pending(connection: psycopg.Connection[Any], folder: Path) -> list[str]:
    """Return the files that `migrate` would run now, in its order except for dependencies. Changes nothing."""
    _check_folder(folder)
    check_server(connection)
    with connection.transaction():
        before, after = _due(connection, folder)
        made = repeatable_sql.waiting(connection, folder, _known(connection))
    return [file.path for file in (*before, *made, *after)]


def check_server(connection: psycopg.Connection[Any]) -> None:
    """Refuse a server that is too old, before its first syntax error does. Raises MigrationError."""
    found = connection.info.server_version
    if found // 10_000 < SERVER_VERSION_MIN:
        raise MigrationError(
            f"The server is PostgreSQL {found // 10_000}.{found % 10_000}, and Marquee needs {SERVER_VERSION_MIN} or"
            " newer. Upgrade the server, or name another one (--url or DATABASE_URL)."
        )


def _check_extensions(connection: psycopg.Connection[Any], due: list[SqlFile]) -> None:
    """Refuse a server that lacks an extension which a migration is about to create. Raises MigrationError."""
    wanted = {(match["name"].lower(), file.name) for file in due for match in _EXTENSION.finditer(file.text)}
    with connection.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute("select e.name::text from pg_catalog.pg_available_extensions as e").fetchall()
    for name, file in sorted(wanted):
        if (name,) not in rows:
            raise MigrationError(
                f"{file} needs the extension {name}, and the server does not offer it. Install it on the server"
                " (pgvector for vector), or name another server (--url or DATABASE_URL)."
            )


def _lock(connection: psycopg.Connection[Any]) -> None:
    try:
        connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK_KEY])
    except psycopg.errors.LockNotAvailable as error:
        raise MigrationError(
            f"Another deployment has been migrating this database for {LOCK_SECONDS_MAX} s. Try again later."
        ) from error


def _check_folder(folder: Path) -> None:
    if not (folder / "migrations").is_dir():
        raise MigrationError(f"There is no folder {folder / 'migrations'}. Name its parent folder (--sql).")
    numbers: dict[str, str] = {}
    for path in sorted((folder / "migrations").glob("*.sql")):
        match = _MIGRATION.fullmatch(path.name)
        if match is None:
            raise MigrationError(f"{path} must be named NNNN_what_it_does.pre.sql or .post.sql.")
        first = numbers.setdefault(match["number"], path.name)
        if first != path.name:
            raise MigrationError(f"Two migrations have the number {match['number']}: {first} and {path.name}.")


def _known(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """Return name and checksum of all files that ran here; none before the first run."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        there = cursor.execute("select to_regclass('ops.migrations') is not null").fetchone()
        if there != (True,):
            return {}
        query = "select file, checksum from ops.migrations union all select file, checksum from ops.repeatables"
        return dict(cursor.execute(query).fetchall())


def _in_folder(folder: Path) -> set[str]:
    """Return the names of all files in the folder, as the database knows them."""
    paths = (path.relative_to(folder).as_posix() for path in folder.rglob("*.sql"))
    return {without_subjects(path) for path in paths}


def _due(connection: psycopg.Connection[Any], folder: Path) -> tuple[list[SqlFile], list[SqlFile]]:
    """Return the pending migrations, by number: those up to the last pre, and the posts after it."""
    known = _known(connection)
    due = []
    for file in read(folder, sorted((folder / "migrations").glob("*.sql"))):
        if file.name not in known:
            due.append(file)
        elif known[file.name] != file.checksum:
            raise MigrationError(
                f"{file.name} was edited after it ran here. Restore it, and make the change in a new migration. "
                "(A database without valuable data can start again: make reset.)"
            )
    before = max((place + 1 for place, file in enumerate(due) if file.name.endswith(".pre.sql")), default=0)
    return due[:before], due[before:]


def _run(connection: psycopg.Connection[Any], due: list[SqlFile], report: Report, say: Say) -> None:
    for file in due:
        began = time.perf_counter()
        try:
            execute(connection, file)
        except psycopg.Error as error:
            raise failure(file, error) from error
        connection.execute("insert into ops.migrations (file, checksum) values (%s, %s)", [file.name, file.checksum])
        report.migrations.append(file.name)
        say(f"{file.name} ({time.perf_counter() - began:.2f} s)")


def _make(connection: psycopg.Connection[Any], folder: Path, report: Report, say: Say) -> None:
    began = time.perf_counter()
    report.repeatables.extend(repeatable_sql.apply(connection, folder, _known(connection)))
    if report.repeatables:
        say(f"{len(report.repeatables)} routines and views ({time.perf_counter() - began:.2f} s)")


def _prepare(connection: psycopg.Connection[Any]) -> None:
    """Let the database prepare things that its structure needs, such as partitions for the coming months."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        there = cursor.execute("select to_regprocedure('ops.after_migration()') is not null").fetchone()
        if there == (True,):
            cursor.execute("select ops.after_migration()")


def _continue(connection: psycopg.Connection[Any]) -> None:
    """Let the database fill new tables from existing rows, in steps that each commit and hold no lock of the run."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        there = cursor.execute("select to_regprocedure('ops.continue_migration()') is not null").fetchone()
        while there == (True,):
            there = cursor.execute("select ops.continue_migration()").fetchone()


def main(arguments: Iterable[str] | None = None) -> int:
    """Run the command line. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m marquee.core.migrations", description=__doc__.split("\n")[0])
    parser.add_argument("command", choices=["apply", "status"])
    parser.add_argument("--url", default=os.environ.get("DATABASE_URL"), help="the owner's (default: DATABASE_URL)")
    parser.add_argument("--sql", type=Path, default=Path("sql"), help="the folder of SQL (default: sql)")
    parser.add_argument("--phase", choices=["pre", "post", "all"], default="all")
    options = parser.parse_args(None if arguments is None else list(arguments))
    if not options.url:
        parser.error("give the database: --url postgresql://… or DATABASE_URL")
    try:
        with psycopg.connect(settings.verified_conninfo(options.url), autocommit=True) as connection:
            if options.command == "status":
                files = pending(connection, options.sql)
                print("\n".join(files) if files else "Up to date.")
                return 1 if files else 0
            report = migrate(connection, options.sql, options.phase, say=lambda line: print(f"  {line}", flush=True))
    except (MigrationError, psycopg.OperationalError) as error:
        print(f"The database was not changed.\n{error}", file=sys.stderr)
        return 1
    for name in report.orphans:
        print(f"  no longer in the folder: {name}")
    if not report.migrations and not report.repeatables:
        print("  Up to date.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
