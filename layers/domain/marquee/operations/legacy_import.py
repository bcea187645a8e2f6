"""Loads the exports of an earlier system and converts them: classes, registrations, waitlists.

    python -m marquee.operations.legacy_import --from exports --url postgresql://…

It reads class_templates.csv, class_instances.csv, class_registrations.csv and waitlists.csv (UTF-8, with a header) row
by row into the schema `staging`, and converts them there, in one transaction. Files may have any size. Rows that cannot
be converted are rejected with their line and the reason. The others are converted, and counts are verified. A repeated
import changes nothing. docs/operate/import.md lists the columns.
"""

import argparse
import csv
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from marquee.core import settings
from marquee.core.errors import Refused
from marquee.scheduling import rules

FIELD_CHARACTERS_MAX = 1_000_000
REJECTS_SHOWN_MOST = 50
MONTHS_MOST = 240
FIRST_YEAR, LAST_YEAR = 2000, 2099

REQUIRED: Mapping[str, tuple[str, ...]] = {
    "class_templates": ("id", "organization_id", "name", "duration_minutes"),
    "class_instances": ("id", "start_time"),
    "class_registrations": ("id", "class_instance_id", "customer_id", "status"),
    "waitlists": ("id", "class_instance_id", "customer_id"),
}
"""The files by name, in the order of their conversion, and the columns that each must have."""


class ImportFailed(Exception):
    """The exports could not be read or do not add up; nothing was changed. The message says how to correct them."""


@dataclass(frozen=True, slots=True)
class Counts:
    """The number of a file's rows, by their result."""

    read: int
    converted: int
    unchanged: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Report:
    """The result of an import: counts by file, the first rejects (file, line, reason), and ignored columns."""

    files: dict[str, Counts]
    rejects: list[tuple[str, int, str]]
    ignored_columns: dict[str, list[str]]


def load(connection: psycopg.Connection[Any], folder: Path) -> Report:
    """Load and convert a folder's exports, over the owner's connection, in one transaction.

    A missing file counts as empty; at least one must exist. Raises ImportFailed.
    """
    files = {name: folder / f"{name}.csv" for name in REQUIRED}
    if not any(path.is_file() for path in files.values()):
        raise ImportFailed(f"{folder} has none of the files {', '.join(path.name for path in files.values())}.")
    _make_months(connection, files["class_instances"])
    with connection.transaction(), connection.cursor(row_factory=tuple_row) as cursor:
        ignored = {name: _stage(cursor, name, path) for name, path in files.items()}
        for name in files:
            cursor.execute(sql.SQL("analyze staging.{}").format(sql.Identifier(name)))
        try:
            cursor.execute("select public.migrate_class_instances_to_events()")
        except psycopg.errors.RaiseException as error:
            raise ImportFailed(f"{error.diag.message_primary}: {error.diag.message_detail}") from error
        row = cursor.fetchone()
        counts: dict[str, dict[str, int]] = row[0] if row else {}
        cursor.execute(
            "select r.file, r.line, r.reason from staging.rejects as r order by r.file, r.line limit %s",
            [REJECTS_SHOWN_MOST],
        )
        rejects = cursor.fetchall()
    return Report(
        {name: Counts(**counts[name]) for name in REQUIRED},
        rejects,
        {name: columns for name, columns in ignored.items() if columns},
    )


def _make_months(connection: psycopg.Connection[Any], path: Path) -> None:
    """Create the partitions of the months of the classes, each separately, so that nobody waits long.

    Beyond that many months the dates are probably mistyped; those rows stay in the default partition.
    """
    if not path.is_file():
        return
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        rows = _rows(file, path.name)
        header = [column.strip().lower() for column in next(rows, (0, []))[1]]
        if "start_time" not in header:
            return
        place = header.index("start_time")
        months = {month for _, values in rows if len(values) > place and (month := _month(values[place]))}
    for month in sorted(months)[:MONTHS_MOST]:
        connection.execute("select ops.create_partition('events.events', %s)", [month])


def _month(text: str) -> date | None:
    """Return the first day of a time's month, in UTC; None for text that is not a time, or is far off."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if moment.tzinfo is None or not FIRST_YEAR <= moment.year <= LAST_YEAR:
        return None
    return moment.astimezone(UTC).date().replace(day=1)


def _stage(cursor: psycopg.Cursor[Any], name: str, path: Path) -> list[str]:
    """Copy a file's rows into its staging table. Returns the columns that the table does not have."""
    table = sql.Identifier("staging", name)
    cursor.execute(sql.SQL("truncate {}").format(table))
    if not path.is_file():
        return []
    cursor.execute(
        "select array_agg(column_name::text order by ordinal_position) from information_schema.columns"
        " where table_schema = 'staging' and table_name = %s and column_name not in ('line', 'problem', 'loaded_at')",
        [name],
    )
    known: list[str] = (cursor.fetchone() or [[]])[0]
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        rows = _rows(file, path.name)
        header = [column.strip().lower() for column in next(rows, (0, []))[1]]
        _check_header(path.name, header, REQUIRED[name])
        columns = [column for column in known if column in header]
        copy = sql.SQL("copy {} ({}) from stdin").format(
            table, sql.SQL(", ").join(map(sql.Identifier, ["line", "problem", *columns]))
        )
        with cursor.copy(copy) as target:
            for line, values in rows:
                target.write_row(_staged(name, line, header, columns, values))
    return [column for column in header if column not in known]


def _rows(file: Iterable[str], name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a CSV with the line at which each starts, except empty ones. Raises ImportFailed."""
    csv.field_size_limit(FIELD_CHARACTERS_MAX)
    reader = csv.reader(file, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise ImportFailed(f"{name}, line {line}: {error}. Correct the file; nothing was imported.") from error
        if values:
            yield line, values


def _check_header(name: str, header: Sequence[str], required: Sequence[str]) -> None:
    missing = [column for column in required if column not in header]
    if missing:
        raise ImportFailed(f"{name} has no column {', '.join(missing)}; it has {', '.join(header) or 'no header'}.")
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice:
        raise ImportFailed(f"{name} has the column {', '.join(twice)} more than once.")


def _staged(
    name: str, line: int, header: Sequence[str], columns: Sequence[str], values: Sequence[str]
) -> list[int | str | None]:
    """Return a row for the staging table: its line, its problem as a whole, and its unchanged values."""
    row: dict[str, str | None] = {column: _stored(value) for column, value in zip(header, values, strict=False)}
    problem = None
    if len(values) != len(header):
        problem = f"the row has {len(values)} values and the header has {len(header)}"
    elif any("\0" in value or any("\udc80" <= letter <= "\udcff" for letter in value) for value in values):
        problem = "the row is not UTF-8 text"
    elif name == "class_templates" and row.get("recurrence_rule"):
        row["recurrence_rule"], problem = _rule(row)
    return [line, problem, *(row.get(column) for column in columns)]


def _stored(value: str) -> str | None:
    """Return a value without characters that PostgreSQL cannot store; None if it is empty."""
    plain = value.replace("\0", "").encode("utf-8", errors="replace").decode().strip()
    return plain or None


def _rule(row: Mapping[str, str | None]) -> tuple[str | None, str | None]:
    """Return a template's rule in stored form, or its problem."""
    text = row["recurrence_rule"] or ""
    if text.upper().startswith("FREQ="):
        text = f"RRULE:{text}"
    try:
        return rules.read(text, _zone(row.get("time_zone")), time(0)).text, None
    except Refused as refusal:
        errors = refusal.extensions.get("errors") or [{"message": refusal.detail}]
        return None, f'recurrence_rule "{text[:80]}": {errors[0]["message"]}'


def _zone(name: str | None) -> ZoneInfo:
    """Return a time zone for reading a rule; the database rejects unknown ones."""
    try:
        return rules.zone(name or "UTC")
    except Refused:
        return ZoneInfo("UTC")


def report_text(report: Report) -> str:
    """Return a report for people."""
    lines = [f"{'file':<24}{'read':>10}{'converted':>12}{'unchanged':>12}{'rejected':>12}"]
    for name, counts in report.files.items():
        figures = f"{counts.read:>10}{counts.converted:>12}{counts.unchanged:>12}{counts.rejected:>12}"
        lines.append(f"{name + '.csv':<24}{figures}")
    for name, columns in report.ignored_columns.items():
        lines.append(f"{name}.csv: ignored columns: {', '.join(columns)}")
    rejected = sum(counts.rejected for counts in report.files.values())
    if rejected:
        lines.append("")
        lines += [f"{file}, line {line}: {reason}" for file, line, reason in report.rejects]
        if rejected > len(report.rejects):
            lines.append(f"… and {rejected - len(report.rejects)} more; the view staging.rejects lists all of them")
    lines.append("")
    lines.append("The counts add up: every row was converted, existed already, or is listed above.")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Returns the exit status: 0 even if rows were rejected, 1 if nothing was imported."""
    parser = argparse.ArgumentParser(prog="python -m marquee.operations.legacy_import", description=__doc__)
    parser.add_argument("--from", dest="folder", type=Path, required=True, help="the folder with the CSV files")
    parser.add_argument("--url", default=os.environ.get("DATABASE_URL"), help="the owner's (default: DATABASE_URL)")
    options = parser.parse_args(arguments)
    if not options.url:
        parser.error("give the database: --url postgresql://… or DATABASE_URL")
    try:
        with psycopg.connect(settings.verified_conninfo(options.url), autocommit=True) as connection:
            print(report_text(load(connection, options.folder)))
    except (ImportFailed, OSError, psycopg.OperationalError) as error:
        print(f"Nothing was imported.\n{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
