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
from scripts import privacy, schema_page

SQL = Path("sql")
TARGET = SQL / "schema.sql"
_MONTH = re.compile(r"_\d{4}_\d{2}$")
# A partition without row security, or with a grant, policy, constraint, trigger or index of its own, stays on the page.
# Its comments are copies of the table's, so they do not count.
ORDINARY_PARTITIONS = """
select c.relnamespace::regnamespace::text, c.relname, parent.relnamespace::regnamespace::text, parent.relname
from pg_class as c
inner join pg_inherits as i on c.oid = i.inhrelid
inner join pg_class as parent on i.inhparent = parent.oid
where c.relispartition
    and c.relkind = 'r'
    and c.relrowsecurity
    and not exists (select from aclexplode(c.relacl) as a where a.grantee <> c.relowner)
    and not exists (select from pg_attribute as a where a.attrelid = c.oid and a.attacl is not null)
    and not exists (select from pg_policy as p where p.polrelid = c.oid)
    and not exists (select from pg_constraint as k where k.conrelid = c.oid and k.coninhcount = 0)
    and not exists (
        select from pg_trigger as t
        left join pg_trigger as of_table on t.tgparentid = of_table.oid
        where t.tgrelid = c.oid and not t.tgisinternal and t.tgenabled is distinct from of_table.tgenabled
    )
    and not exists (
        select from pg_index as x
        inner join pg_class as of_index on x.indexrelid = of_index.oid
        where x.indrelid = c.oid and not of_index.relispartition
    )
order by 3, 4, 2
"""


def dump(url: str) -> str:
    """Return the structure of a database without the bodies of routines, the same on each day and each server."""
    names: dict[tuple[str, str], list[str]] = {}
    command = [str(binary("pg_dump")), "--schema-only", "--no-owner", f"--dbname={url}"]
    with psycopg.connect(url) as connection:
        for schema, partition, *parent in connection.execute(ORDINARY_PARTITIONS):
            command.append(f'--exclude-table="{schema}"."{partition}"')
            # The months change with the calendar.
            names.setdefault((parent[0], parent[1]), []).append(_MONTH.sub("_<year>_<month>", partition))
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return schema_page.page(text, {parent: ", ".join(dict.fromkeys(found)) for parent, found in names.items()})


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
