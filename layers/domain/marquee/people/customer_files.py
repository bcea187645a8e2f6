"""Import of customers from a CSV file: a result for each row, and nobody twice.

A file that GET /organizations/{organization_id}/customers.csv returned can be imported elsewhere.
"""

import csv
import io
import json
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, ValidationError

from marquee.core import csv_files
from marquee.core.database import Session
from marquee.core.errors import Refused
from marquee.core.models import Answer, Request
from marquee.people.customers import COLUMNS, WalkInRequest

ROWS_MAX = 5000
READ = ("name", "email", "phone", "language", "note", "tags")


class ImportRequest(Request):
    """A CSV file with a header. Commas separate tags; other columns of an exported file are ignored."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"csv": "name,email\nAna Meier,ana@example.org\n"}]})

    csv: Annotated[
        str,
        Field(min_length=4, description=f"Columns: name and any of {', '.join(READ[1:])}. At most {ROWS_MAX} rows."),
    ]


class ImportResult(Answer):
    """The result of one row."""

    line: Annotated[int, Field(description="The line on which the row ends. The header is line 1.")]
    status: Literal["created", "exists", "refused"]
    customer_id: Annotated[UUID | None, Field(description="Null: refused, or created by a dry run.")] = None
    reason: Annotated[str | None, Field(description="Why the row is refused, such as `invalid_row`.")] = None
    columns: Annotated[list[str], Field(default_factory=list, description="The columns that are not valid.")]


class ImportResults(Answer):
    """The results of a file."""

    dry_run: bool
    created: int
    exists: int
    refused: int
    rows: list[ImportResult]


def run(session: Session, organization_id: UUID, request: ImportRequest, *, dry_run: bool) -> ImportResults:
    """Enter the valid rows of a file, or return only the results.

    Refuses: 403 forbidden, 404 organization_not_found, 422 invalid_request for a file that cannot be read.
    """
    valid, results = _read(request.csv)
    found = session.value(
        "select organizations.import_customers(organization_id => %s, rows => %s::jsonb, dry_run => %s)",
        [organization_id, json.dumps(valid), dry_run],
    )
    results += [ImportResult.model_validate(result) for result in found]
    results.sort(key=lambda result: result.line)
    counts = {status: sum(result.status == status for result in results) for status in ("created", "exists", "refused")}
    return ImportResults(dry_run=dry_run, rows=results, **counts)


def _read(text: str) -> tuple[list[dict[str, Any]], list[ImportResult]]:
    """Return the valid rows with their lines, and the results of the others."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    valid: list[dict[str, Any]] = []
    refused: list[ImportResult] = []
    try:
        names = [name.strip().lower() for name in reader.fieldnames or []]
        unknown = sorted(set(names) - {*READ, *COLUMNS})
        if "name" not in names or unknown or len(set(names)) < len(names):
            raise _unreadable(f"The header needs `name` and may have {', '.join(READ[1:])}, each once.")
        reader.fieldnames = names
        for row in reader:
            if len(valid) + len(refused) == ROWS_MAX:
                raise _unreadable(f"The file has more than {ROWS_MAX} rows. Divide it.")
            try:
                valid.append({"line": reader.line_num, **_person(row).model_dump()})
            except ValidationError as error:
                columns = sorted({str(one["loc"][0]) for one in error.errors(include_input=False)})
                refused.append(
                    ImportResult(line=reader.line_num, status="refused", reason="invalid_row", columns=columns)
                )
    except csv.Error as error:
        raise _unreadable(f"Line {reader.line_num} is not valid CSV.") from error
    return valid, refused


def _person(row: dict[str | None, Any]) -> WalkInRequest:
    """Return the person of a row. Raises ValidationError for values that are not valid."""
    cells = {name: csv_files.read_cell(row.get(name) or "") for name in READ}
    given: dict[str, Any] = {name: value for name, value in cells.items() if value}
    if "tags" in given:
        given["tags"] = [tag.strip() for tag in given["tags"].split(",")]
    if row.get(None):
        given["more cells than columns"] = ""
    return WalkInRequest.model_validate(given)


def _unreadable(message: str) -> Refused:
    return Refused(422, "invalid_request", message)
