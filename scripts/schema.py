"""Writes sql/schema.sql and the tables of sql/retention.md from a database that the migrations made.

python -m scripts.schema            write them
python -m scripts.schema --check    fail if one differs from what the migrations make
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
-- The whole structure, for reading. Made from sql/migrations, sql/routines and sql/views by `make schema`; do not edit.

"""
# Months come and go with the calendar; their parents tell what they are like.
_MONTH = re.compile(r"_\d{4}_\d{2}\b")
_NOISE = re.compile(r"^(--.*|SET .*|SELECT pg_catalog\.set_config.*|\\(un)?restrict .*)$", re.MULTILINE)


def dump(url: str) -> str:
    """The structure of a database, without what differs between two days or two servers."""
    command = [str(binary("pg_dump")), "--schema-only", "--no-owner", f"--dbname={url}"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    statements = re.split(r";\n\n+", _NOISE.sub("", text))
    kept = [statement.strip() for statement in statements if statement.strip() and not _MONTH.search(statement)]
    return HEADER + ";\n\n".join(kept) + ("" if kept[-1].endswith(";") else ";") + "\n"


def fresh() -> dict[Path, str]:
    """The files that follow from what the migrations make of an empty database."""
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
    return max(_differs(target, text) for target, text in made.items())


def _differs(target: Path, text: str) -> int:
    """Print how a file differs from what it should be; 1 if it does."""
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
