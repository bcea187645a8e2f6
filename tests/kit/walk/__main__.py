"""Print the missing lines of the tables of expectations, as observed. See docs/concepts/security.md."""

import argparse
import secrets
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import psycopg
import psycopg.sql

from local.postgres import Server
from marquee.core import migrations
from marquee.core.settings import LOGINS
from marquee.operations import logins
from tests.kit.walk import attempts, catalog, expectations, world

SQL = Path(__file__).resolve().parents[3] / "sql"


def main(arguments: Iterable[str] | None = None) -> int:
    """Return 1 if lines are missing."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.kit.walk",
        description="Print the missing lines of the tables of expectations, as observed in a separate database. "
        "Check each line before you paste it: it shows the present rights, not the intended ones.",
    )
    parser.add_argument("--all", action="store_true", help="print every line, not only those that are missing")
    options = parser.parse_args(None if arguments is None else list(arguments))
    with tempfile.TemporaryDirectory(prefix="marquee-walk-") as folder:
        Path(folder).chmod(0o711)
        server = Server(Path(folder) / "postgres", durable=False)
        server.start()
        try:
            return _print(server, everything=options.all)
        finally:
            server.stop("immediate")


def _print(server: Server, *, everything: bool) -> int:
    password = secrets.token_urlsafe(16)
    with psycopg.connect(server.url(), autocommit=True) as owner:
        owner.execute("create database walk")
    with psycopg.connect(server.url("walk"), autocommit=True) as owner:
        migrations.migrate(owner, SQL)
        for login in LOGINS.values():
            logins.set_password(owner, login, login, password)
        said = world.fill(owner)
        tables = catalog.tables(owner)
        rows = world.look(owner, tables, said)
        holders = {
            expectations.FUNCTIONS: catalog.functions(owner),
            expectations.GRANTS: catalog.schemas(owner) | catalog.views(owner),
        }
    log_in = attempts.by_url(lambda login: server.url("walk", login, password))
    found = attempts.walk(log_in, rows, tables)
    known = {} if everything else expectations.read_tables()
    lines = {
        expectations.TABLES: [
            expectations.observed(table.name, found, rows).text() for table in tables if table.name not in known
        ]
    }
    for path, what in holders.items():
        listed = {} if everything else expectations.read_holders(path)
        lines[path] = [expectations.holder_line(name, who) for name, who in what.items() if name not in listed]
    for path, missing in lines.items():
        if missing:
            print("\n".join([f"# {path.name}", *missing, ""]))
    if not any(lines.values()):
        print("No line is missing.", file=sys.stderr)
    return int(any(lines.values()))


if __name__ == "__main__":
    raise SystemExit(main())
