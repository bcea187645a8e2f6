"""Writes sql/schema.sql and the tables of sql/retention.md from a database that the migrations made.

python -m scripts.schema            write them
python -m scripts.schema --check    fail if one differs from the migrations
"""

import difflib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg

from local.postgres import Server, binary
from marquee.core import migrations
from scripts import privacy

SQL = Path("sql")
TARGET = SQL / "schema.sql"
HEADER = """\
-- The structure of the database, for reading: tables, views, triggers, policies, grants, and signatures of routines.
-- The bodies of routines are in sql/routines/<schema>/<subject>/<name>.sql. `make schema` writes this file.

"""
# Partitions change with the calendar; their parents show their structure.
_MONTH = re.compile(r"_\d{4}_\d{2}\b")
_BODY = re.compile(
    r"^(?P<signature>CREATE (?:FUNCTION|PROCEDURE) .*?)\n    "
    r"(?:AS (?P<quote>\$\w*\$).*?(?P=quote)|RETURN .*?|BEGIN ATOMIC\n.*?^END);$",
    re.MULTILINE | re.DOTALL,
)
_NOISE = re.compile(r"^(--.*|SET .*|SELECT pg_catalog\.set_config.*|\\(un)?restrict .*)$", re.MULTILINE)


def dump(url: str) -> str:
    """Return the structure of a database without the bodies of routines, the same on each day and each server."""
    command = [str(binary("pg_dump")), "--schema-only", "--no-owner", f"--dbname={url}"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    statements = re.split(r";\n\n+", _NOISE.sub("", without_bodies(text)))
    kept = [statement.strip() for statement in statements if statement.strip() and not _MONTH.search(statement)]
    return HEADER + ";\n\n".join(kept) + ("" if kept[-1].endswith(";") else ";") + "\n"


def without_bodies(text: str) -> str:
    """Return a dump in which each routine ends after its signature and settings."""
    return _BODY.sub(r"\g<signature>;", text)


def fresh() -> dict[Path, str]:
    """Return the generated files, from the structure that the migrations create in an empty database."""
    with tempfile.TemporaryDirectory(prefix="marquee-schema-") as folder:
        Path(folder).chmod(0o711)
        server = Server(Path(folder) / "postgres", durable=False)
        server.start()
        try:
            with psycopg.connect(server.url(), autocommit=True) as connection:
                connection.execute("create database fresh")
            with psycopg.connect(server.url("fresh"), autocommit=True) as connection:
                migrations.migrate(connection, SQL)
                page = privacy.page(connection)
            return {TARGET: dump(server.url("fresh")), privacy.PAGE: page}
        finally:
            server.stop("immediate")


def main() -> int:
    """Write the files, or return 1 if one differs."""
    made = fresh()
    if "--check" not in sys.argv[1:]:
        for target, text in made.items():
            target.write_text(text)
        return 0
    return max(differs(target, text) for target, text in made.items())


def differs(target: Path, text: str) -> int:
    """Print the difference between a file and its text from the migrations. Return 1 if there is one."""
    there = target.read_text() if target.exists() else ""
    if text == there:
        return 0
    diff = difflib.unified_diff(
        there.splitlines(), text.splitlines(), str(target), "what the migrations make", lineterm=""
    )
    print("\n".join([*list(diff)[:80], f"{target} is out of date: run `make schema`."]))
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
