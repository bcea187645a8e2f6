"""Pages of a list: a bounded number of items and an opaque cursor to the next ones.

A cursor holds the sort keys of the last item given, so a page costs the same wherever it lies, and rows that come or
go in between neither repeat nor hide others:

    after = paging.after(cursor, datetime, UUID)
    rows = session.all("… where (e.starts_at, e.id) > (%s, %s) … limit %s", [*after, limit + 1])
    return paging.page(rows, limit, EventSummary.model_validate, lambda row: (row["starts_at"], row["id"]))
"""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, Field

from marquee.core.errors import Refused

DEFAULT_LIMIT = 20
LIMIT_MAX = 100
CURSOR_LENGTH_MAX = 2000

_INTEGER_MAX = 2**63 - 1

Item = TypeVar("Item")
Row = TypeVar("Row")
Key = datetime | UUID | int | float | str


class Page(BaseModel, Generic[Item]):
    """Some items of a list, in its order."""

    items: list[Item]
    next_cursor: str | None = Field(description="Send as `cursor` to get the next items; null on the last page.")


def page(
    rows: Sequence[Row], limit: int, make: Callable[[Row], Item], keys: Callable[[Row], Sequence[Key]]
) -> Page[Item]:
    """The first `limit` of `rows` as a page; the query asks for `limit + 1`, which tells whether there are more."""
    shown = rows[:limit]
    next_cursor = cursor(*keys(shown[-1])) if len(rows) > limit else None
    return Page(items=[make(row) for row in shown], next_cursor=next_cursor)


def cursor(*keys: Key) -> str:
    """The opaque text for the place just after the row with these sort keys."""
    values = [
        key.isoformat() if isinstance(key, datetime) else str(key) if isinstance(key, UUID) else key for key in keys
    ]
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def after(text: str | None, *kinds: type[Key]) -> tuple[Key, ...] | None:
    """The sort keys that a cursor holds, one of each kind given, or none without a cursor.

    Refuses: 422 invalid_request for a text that is no cursor of this list.
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


def _key(value: object, kind: type[Key]) -> Key:
    """One sort key as its kind; the text was in the client's hands, so nothing about it is believed."""
    if kind is int and type(value) is int and abs(value) <= _INTEGER_MAX:
        return value
    if kind is float and type(value) in (int, float) and abs(value) <= _INTEGER_MAX:  # type: ignore[arg-type]
        return float(value)  # type: ignore[arg-type]
    if not isinstance(value, str):
        raise _invalid()
    try:
        if kind is UUID:
            return UUID(value)
        if kind is datetime:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None:
                raise _invalid()
            return moment
        value.encode()
    except ValueError as error:
        raise _invalid() from error
    if kind is not str or "\0" in value:
        raise _invalid()
    return value


def _invalid() -> Refused:
    problem = {"path": ["query", "cursor"], "kind": "cursor", "message": "This is no cursor of this list."}
    return Refused(422, "invalid_request", "The cursor is not one that this list gave.", errors=[problem])
