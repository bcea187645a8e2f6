"""Pages of a list: a bounded number of items and an opaque cursor to the next ones.

A cursor holds the sort keys of the last item of a page. So every page costs the same, and rows that are added or
deleted in between neither repeat nor hide others:

    after = paging.after(cursor, datetime, UUID)  # a whole number is given by the range of its column
    rows = session.all("… where (e.starts_at, e.id) > (%s, %s) … limit %s", [*after, limit + 1])
    return paging.page(rows, limit, EventSummary.model_validate, lambda row: (row["starts_at"], row["id"]))
"""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, Field

from marquee.core import timestamps
from marquee.core.errors import Refused

DEFAULT_LIMIT = 20
LIMIT_MAX = 100
CURSOR_LENGTH_MAX = 2000

_FLOAT_MAX = 2**63

Item = TypeVar("Item")
Row = TypeVar("Row")
Key = datetime | UUID | int | float | str
Kind = type[datetime | UUID | float | str] | range

INTEGER = range(-(2**31) + 1, 2**31)  # PostgreSQL reads a minus after the number, which must fit without it
BIGINT = range(-(2**63) + 1, 2**63)
COUNT = range(2**53)
"""Counters that stay far below the limit of 64 bits."""


class Page(BaseModel, Generic[Item]):
    """One page of a list, in its order."""

    items: list[Item]
    next_cursor: str | None = Field(description="Send it as `cursor` to get the next page. Null on the last page.")


def page(
    rows: Sequence[Row], limit: int, make: Callable[[Row], Item], keys: Callable[[Row], Sequence[Key]]
) -> Page[Item]:
    """Return the first `limit` of `rows` as a page; the query asks for one more, which shows whether there are more."""
    shown = rows[:limit]
    next_cursor = cursor(*keys(shown[-1])) if len(rows) > limit else None
    return Page(items=[make(row) for row in shown], next_cursor=next_cursor)


def cursor(*keys: Key) -> str:
    """Return the opaque text for the place just after the row with these sort keys."""
    values = [
        key.astimezone(UTC).isoformat() if isinstance(key, datetime) else str(key) if isinstance(key, UUID) else key
        for key in keys
    ]
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def after(text: str | None, *kinds: Kind) -> tuple[Key, ...] | None:
    """Return the sort keys of a cursor, one of each given kind, or None without a cursor.

    The kind of a whole number is the range of its column or counter.

    Refuses: 422 invalid_request for a text that is not a cursor of this list.
    """
    if text is None:
        return None
    if len(text) > CURSOR_LENGTH_MAX:
        raise _invalid()
    try:
        values = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise _invalid() from error
    if not isinstance(values, list) or len(values) != len(kinds):
        raise _invalid()
    return tuple(_key(value, kind) for value, kind in zip(values, kinds, strict=True))


def _key(value: object, kind: Kind) -> Key:
    """Return one sort key as its kind. The text comes from the client, so everything about it is checked."""
    if isinstance(kind, range) and type(value) is int and value in kind:
        return value
    if kind is float and type(value) in (int, float) and abs(value) <= _FLOAT_MAX:  # type: ignore[arg-type]
        return float(value)  # type: ignore[arg-type]
    if not isinstance(value, str):
        raise _invalid()
    try:
        if kind is UUID:
            return UUID(value)
        if kind is datetime:
            return timestamps.parse_time(value)
        value.encode()
    except ValueError as error:
        raise _invalid() from error
    if kind is not str or "\0" in value:
        raise _invalid()
    return value


def _invalid() -> Refused:
    problem = {
        "path": ["query", "cursor"],
        "kind": "cursor",
        "message": "This is not a cursor of this list. Use the `next_cursor` of a page.",
    }
    return Refused(
        422,
        "invalid_request",
        "The cursor is not valid for this list. Use the `next_cursor` of a page.",
        errors=[problem],
    )
