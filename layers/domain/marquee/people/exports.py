"""Exports: a ZIP of JSON and CSV with everything about a person, which a worker makes.

The database finds the rows by ops.export_rules. The file is in a bucket, outside this package: `store` puts it there,
and `link` returns a temporary link to it.
"""

import io
import json
import zipfile
from collections.abc import Callable, Iterable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from marquee.core import csv_files, database
from marquee.core.database import Session
from marquee.core.errors import Refused
from marquee.core.models import Answer

LEASE_SECONDS = 360
"""Longer than an invocation of the worker may take, so that two workers never write one file at the same time."""
ROWS_MAX = 100_000
"""The maximum number of rows of a table in a file."""

Status = Literal["requested", "ready", "expired", "failed"]
Store = Callable[[str, bytes], None]
"""Stores the content of a file under its name. Storing it again replaces it."""
Link = Callable[[str, int], str]
"""Returns a link to the file with this name that is valid for so many seconds."""


class Export(Answer):
    """The latest export of the caller, and the link to its file."""

    id: UUID
    status: Annotated[Status, Field(description="expired: the file is deleted. failed: request another one.")]
    requested_at: datetime
    ready_at: datetime | None
    expires_at: Annotated[datetime | None, Field(description="The end of the link, 24 hours after ready_at.")]
    size_bytes: int | None
    url: Annotated[
        str | None,
        Field(description="A link to the ZIP. Everyone who knows it can read the file. Null unless it is ready."),
    ]


def request(session: Session, link: Link) -> Export:
    """Request an export, or return that of the last 24 hours. The session runs two statements.

    Refuses: 401 unauthenticated, 403 forbidden.
    """
    session.value("select users.request_export()")
    return read(session, link)


def read(session: Session, link: Link) -> Export:
    """Return the caller's latest export. Refuses: 404 export_not_found."""
    row = session.one(
        """
        select
            e.id,
            case
                when e.status = 'ready' and e.expires_at <= statement_timestamp() then 'expired'
                else e.status
            end as status,
            e.requested_at, e.ready_at, e.expires_at, e.size_bytes,
            floor(extract(epoch from e.expires_at - statement_timestamp()))::integer as seconds_left
        from users.exports as e
        where e.user_id = ops.caller_id()
        order by e.requested_at desc, e.id desc
        limit 1
        """
    )
    if row is None:
        raise Refused(HTTPStatus.NOT_FOUND, "export_not_found")
    seconds_left = row.pop("seconds_left")
    is_ready = row["status"] == "ready" and seconds_left > 0
    return Export(**row, url=link(_name(row["id"]), seconds_left) if is_ready else None)


def make_next(store: Store) -> bool:
    """Make the file of the oldest request. Returns whether there was a request."""
    with database.single(database.service()) as session:
        claimed = session.one("select c.* from users.claim_export(lease_seconds => %s) as c", [LEASE_SECONDS])
    if claimed is None:
        return False
    with database.transaction(database.service()) as session:
        content = _archive(session, claimed["user_id"])
    store(_name(claimed["id"]), content)
    with database.single(database.service()) as session:
        session.value(
            "select users.finish_export(export_id => %s, attempt => %s, size_bytes => %s)",
            [claimed["id"], claimed["attempt"], len(content)],
        )
    return True


def _name(export_id: UUID) -> str:
    return f"exports/{export_id}.zip"


def _archive(session: Session, user_id: UUID) -> bytes:
    """Return the ZIP: a JSON and a CSV file for each table with rows, and a page that explains them."""
    content = io.BytesIO()
    tables = session.all("select t.table_name, t.reason from users.export_tables() as t")
    counts: dict[str, int] = {}
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for table in (row["table_name"] for row in tables if row["reason"] is None):
            rows = _rows(session, user_id, table)
            counts[table] = len(rows)
            if rows:
                archive.writestr(f"{table}.json", json.dumps(rows, ensure_ascii=False, indent=2))
                archive.writestr(f"{table}.csv", _csv(rows))
        left_out = [(row["table_name"], row["reason"]) for row in tables if row["reason"] is not None]
        archive.writestr("README.txt", _explained(counts, left_out))
    return content.getvalue()


def _rows(session: Session, user_id: UUID, table: str) -> list[dict[str, Any]]:
    rows = session.all(
        "select r.answer from users.export_rows(user_id => %s, table_name => %s, most => %s) as r (answer)",
        [user_id, table, ROWS_MAX],
    )
    return [row["answer"] for row in rows]


def _csv(rows: list[dict[str, Any]]) -> str:
    """Return rows as CSV. A list or a document becomes JSON text; no text can become a formula."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return csv_files.write(columns, ({name: _cell(row.get(name)) for name in columns} for row in rows))


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def _explained(counts: dict[str, int], left_out: Iterable[tuple[str, str]]) -> str:
    cut = [table for table, number in counts.items() if number >= ROWS_MAX]
    lines = [
        "Everything that Marquee stores about you. Each table is a JSON file and a CSV file with the same rows.",
        "Times are in UTC, amounts in the smallest unit of the currency. Ids of other people are left out.",
        "",
        *(f"{table}: {number} rows" for table, number in counts.items()),
        "",
        *(f"{table} has more rows. Ask us for the others." for table in cut),
        "Left out:",
        *(f"{table}: {reason}" for table, reason in left_out),
    ]
    return "\n".join(lines) + "\n"
