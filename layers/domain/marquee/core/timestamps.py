"""Parse times that callers send: in bodies, in queries, in cursors. One parser for all of them.

A time has the form of RFC 3339, with seconds and an offset: 2030-01-31T18:00:00+01:00. It is kept in UTC.

Times that Python, PostgreSQL or a calendar in another zone cannot represent are refused. These have the hour
24, the second 60 or an offset beyond 14 hours. Times within a day of year 1 or of the end of year 9999 are refused too.
"""

import re
from datetime import UTC, date, datetime

FIRST = datetime(1, 1, 2, tzinfo=UTC)
LAST = datetime(9999, 12, 30, 23, 59, 59, 999_999, tzinfo=UTC)
FIRST_YEAR, LAST_YEAR = 1970, 2199
"""The range of dates on a calendar, which are used in computations."""

DAY_PATTERN = r"^(19[7-9]\d|20\d\d|21\d\d)-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"

_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?([Zz]|[+-]((0\d|1[0-3]):[0-5]\d|14:00))", re.ASCII
)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def parse_time(text: str) -> datetime:
    """Return the instant of a text, in UTC. Raises ValueError, which names the format."""
    try:
        instant = datetime.fromisoformat(text.upper()).astimezone(UTC) if _TIME.fullmatch(text) else None
    except (ValueError, OverflowError):
        instant = None
    if instant is None or not FIRST <= instant <= LAST:
        raise ValueError("write a time like 2030-01-31T18:00:00Z, with seconds and an offset, from year 1 to 9999")
    return instant


def parse_date(text: str) -> date:
    """Return the date of a text. Raises ValueError, which names the format."""
    if not _DAY.fullmatch(text) or not FIRST_YEAR <= int(text[:4]) <= LAST_YEAR:
        raise ValueError(f"write a date like 2030-01-31, from {FIRST_YEAR} to {LAST_YEAR}")
    return date.fromisoformat(text)
