"""Brings a database's structure up to date from a folder of SQL.

    migrations/NNNN_name.pre.sql    runs once, before the new code does
    migrations/NNNN_name.post.sql   runs once, after the old code is gone
    routines/<schema>/<name>.sql    runs again whenever its text changed
    views/<schema>/<name>.sql       the same

    python -m marquee.core.migrations apply --url postgresql://… --sql sql

A run is one transaction under one lock: two deployers do not race, and a run that dies leaves nothing behind. Routines
and views are tried in passes, so that nobody keeps an order of them by hand. A database that knows newer files than the
folder holds is fine: that is a deployment being rolled back.
"""

import argparse
import hashlib
import os
import re
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, LiteralString

import psycopg

Phase = Literal["pre", "post", "all"]
Say = Callable[[str], None]

_MIGRATION = re.compile(r"(?P<number>\d{4})_[a-z0-9_]+\.(?P<phase>pre|post)\.sql")
_LOCK_KEY = 7_242_771_853
_LOCK_SECONDS_MAX = 30

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
comment on table ops.migrations is 'Which migrations ran, and what they said when they did.';
comment on table ops.repeatables is 'Which routines and views are there, and what their files said when they were made.';
"""


class MigrationError(Exception):
    """The database could not be brought up to date; it is as it was. The message says where and what to do."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did, in its order; `orphans` are files that the database knows and the folder does not hold."""

    migrations: list[str] = field(default_factory=list)
    repeatables: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    text: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def migrate(
    connection: psycopg.Connection[Any], folder: Path, phase: Phase = "all", say: Say = lambda line: None
) -> Report:
    """Run what `phase` has not run yet: `pre` with routines and views, `post`, or `all` of it. Commits.

    `connection` is the owner's, with no transaction open. Raises MigrationError; then nothing was changed.
    """
    _check_folder(folder)
    with connection.transaction():
        # Traffic goes on meanwhile: rather give up and be tried again than queue every request behind a lock.
        connection.execute(f"set local lock_timeout = '{_LOCK_SECONDS_MAX}s'")
        connection.execute("set local statement_timeout = 0")
        connection.execute("set local client_min_messages = warning")
        connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK_KEY])
        connection.execute(_BOOKKEEPING)
        report = Report(orphans=_orphans(connection, folder))
        if phase in ("pre", "all"):
            report.migrations.extend(_run_migrations(connection, folder, "pre", say))
            report.repeatables.extend(_run_repeatables(connection, folder, say))
        if phase in ("post", "all"):
            report.migrations.extend(_run_migrations(connection, folder, "post", say))
        if phase in ("pre", "all"):
            _after(connection)
    return report


def pending(connection: psycopg.Connection[Any], folder: Path) -> list[str]:
    """The files that `migrate` would run now, in its order but for dependencies."""
    _check_folder(folder)
    with connection.transaction():
        connection.execute(_BOOKKEEPING)
        known = {**_known(connection, "migrations"), **_known(connection, "repeatables")}
    files = [*_migrations(folder, "pre"), *_repeatables(folder), *_migrations(folder, "post")]
    return [file.name for file in files if known.get(file.name) != file.checksum]


def _check_folder(folder: Path) -> None:
    if not (folder / "migrations").is_dir():
        raise MigrationError(f"There is no folder {folder / 'migrations'}: name the folder that holds it (--sql).")
    numbers: dict[str, str] = {}
    for path in sorted((folder / "migrations").glob("*.sql")):
        match = _MIGRATION.fullmatch(path.name)
        if match is None:
            raise MigrationError(f"{path} must be named NNNN_what_it_does.pre.sql or .post.sql.")
        first = numbers.setdefault(match["number"], path.name)
        if first != path.name:
            raise MigrationError(f"Two migrations have the number {match['number']}: {first} and {path.name}.")


def _migrations(folder: Path, phase: str) -> list[_File]:
    paths = sorted((folder / "migrations").glob(f"*.{phase}.sql"))
    return [_File(f"migrations/{path.name}", path.read_text()) for path in paths]


def _repeatables(folder: Path) -> list[_File]:
    paths = [path for kind in ("routines", "views") for path in sorted((folder / kind).rglob("*.sql"))]
    return [_File(path.relative_to(folder).as_posix(), path.read_text()) for path in paths]


def _known(connection: psycopg.Connection[Any], table: Literal["migrations", "repeatables"]) -> dict[str, str]:
    query = f"select file, checksum from ops.{table}"
    with connection.cursor(row_factory=psycopg.rows.tuple_row) as cursor:
        return dict(cursor.execute(query).fetchall())


def _orphans(connection: psycopg.Connection[Any], folder: Path) -> list[str]:
    known = {**_known(connection, "migrations"), **_known(connection, "repeatables")}
    return sorted(name for name in known if not (folder / name).exists())


def _run_migrations(connection: psycopg.Connection[Any], folder: Path, phase: str, say: Say) -> list[str]:
    known = _known(connection, "migrations")
    ran = []
    for file in _migrations(folder, phase):
        if file.name in known:
            if known[file.name] != file.checksum:
                raise MigrationError(
                    f"{file.name} was edited after it ran here. Put it back as it was, and write what should change "
                    "as a new migration. (A database that may be lost can start over: make reset.)"
                )
            continue
        began = time.perf_counter()
        try:
            _execute(connection, file)
        except psycopg.Error as error:
            raise _failure(file, error) from error
        connection.execute("insert into ops.migrations (file, checksum) values (%s, %s)", [file.name, file.checksum])
        ran.append(file.name)
        say(f"{file.name} ({time.perf_counter() - began:.2f} s)")
    return ran


def _run_repeatables(connection: psycopg.Connection[Any], folder: Path, say: Say) -> list[str]:
    """Try each changed file; those that fail are tried again after the others, until a pass gets nowhere."""
    known = _known(connection, "repeatables")
    waiting = [file for file in _repeatables(folder) if known.get(file.name) != file.checksum]
    total = len(waiting)
    done: list[str] = []
    while waiting:
        failed: list[tuple[_File, psycopg.Error]] = []
        for file in waiting:
            try:
                with connection.transaction():
                    _replace(connection, file)
            except psycopg.Error as error:
                failed.append((file, error))
                continue
            connection.execute(
                "insert into ops.repeatables (file, checksum) values (%s, %s) "
                "on conflict (file) do update set checksum = excluded.checksum, applied_at = clock_timestamp()",
                [file.name, file.checksum],
            )
            done.append(file.name)
        if len(failed) == len(waiting):
            raise MigrationError("\n\n".join(str(_failure(file, error)) for file, error in failed[:5]))
        waiting = [file for file, _ in failed]
    if total:
        say(f"{total} routines and views")
    return done


def _replace(connection: psycopg.Connection[Any], file: _File) -> None:
    """Run a repeatable; a view whose columns changed is dropped first, which fails while others look through it."""
    try:
        with connection.transaction():
            _execute(connection, file)
    except psycopg.errors.InvalidTableDefinition:
        if not file.name.startswith("views/"):
            raise
        schema, name = file.name.removesuffix(".sql").split("/")[1:]
        connection.execute(psycopg.sql.SQL("drop view {}").format(psycopg.sql.Identifier(schema, name)))
        _execute(connection, file)


def _execute(connection: psycopg.Connection[Any], file: _File) -> None:
    # Client-side: a file holds many statements, which the extended protocol does not take at once.
    with psycopg.ClientCursor(connection) as cursor:
        cursor.execute(file.text)


def _after(connection: psycopg.Connection[Any]) -> None:
    """Let the database prepare what its structure calls for, such as partitions for the months to come."""
    with connection.cursor(row_factory=psycopg.rows.tuple_row) as cursor:
        row = cursor.execute("select to_regprocedure('ops.after_migration()') is not null").fetchone()
    if row is not None and row[0]:
        connection.execute("select ops.after_migration()")


def _failure(file: _File, error: psycopg.Error) -> MigrationError:
    position = error.diag.statement_position
    line = f":{file.text.count(chr(10), 0, int(position) - 1) + 1}" if position else ""
    said = [error.diag.message_primary or str(error), error.diag.message_detail, error.diag.message_hint]
    context = (error.diag.context or "").splitlines()[:2]
    return MigrationError("\n    ".join([f"{file.name}{line}", *(part for part in said if part), *context]))


def main(arguments: Iterable[str] | None = None) -> int:
    """The command line; answers the exit status."""
    parser = argparse.ArgumentParser(prog="python -m marquee.core.migrations", description=__doc__.split("\n")[0])
    parser.add_argument("command", choices=["apply", "status"])
    parser.add_argument("--url", default=os.environ.get("DATABASE_URL"), help="the owner's (default: DATABASE_URL)")
    parser.add_argument("--sql", type=Path, default=Path("sql"), help="the folder of SQL (default: sql)")
    parser.add_argument("--phase", choices=["pre", "post", "all"], default="all")
    options = parser.parse_args(None if arguments is None else list(arguments))
    if not options.url:
        parser.error("name the database: --url postgresql://… or DATABASE_URL")
    try:
        with psycopg.connect(options.url, autocommit=True) as connection:
            if options.command == "status":
                files = pending(connection, options.sql)
                print("\n".join(files) if files else "Up to date.")
                return 1 if files else 0
            report = migrate(connection, options.sql, options.phase, say=lambda line: print(f"  {line}", flush=True))
    except (MigrationError, psycopg.OperationalError) as error:
        print(f"The database was left as it was.\n{error}", file=sys.stderr)
        return 1
    for name in report.orphans:
        print(f"  not in the folder any more: {name}")
    if not report.migrations and not report.repeatables:
        print("  Up to date.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
