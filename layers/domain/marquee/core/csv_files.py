"""CSV for spreadsheets (RFC 4180), in which no text of a customer can become a formula.

    text = csv_files.write(("name", "seats"), [{"name": "=1+1", "seats": 2}])

A spreadsheet runs a cell that starts with =, +, -, @, a tab or a carriage return as a formula. Such a text gets an
apostrophe in front. Numbers stay as they are.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

CONTENT_TYPE = "text/csv; charset=utf-8"
ROWS_MAX = 10_000
"""The maximum number of rows of a file. A function's response has at most six megabytes."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Return rows as CSV with a header. Other members of a row are left out."""
    text = io.StringIO()
    lines = csv.DictWriter(text, columns, extrasaction="ignore")
    lines.writeheader()
    lines.writerows({name: _cell(row[name]) for name in columns} for row in rows)
    return text.getvalue()


def read_cell(text: str) -> str:
    """Return the text of a cell without outer spaces, and without the apostrophe that `write` puts before a formula."""
    text = text.strip()
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA_STARTS) else text


def _cell(value: Any) -> Any:
    """Return a value as a cell: a time in ISO 8601, nothing for null, a text that is no formula."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value
