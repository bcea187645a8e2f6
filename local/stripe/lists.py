"""Lists: newest first, in pages that start after or end before an object, filtered."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from local.stripe.errors import malformed, unknown
from local.stripe.parameters import Kind, Span, Text, Whole
from local.stripe.request_context import NAMES, RequestContext
from local.stripe.store import Json

Given = dict[str, Any]
PAGE: Mapping[str, Kind] = {
    "limit": Whole(least=1, most=100),
    "starting_after": Text(),
    "ending_before": Text(),
}
PAGE_BY_TIME: Mapping[str, Kind] = {**PAGE, "created": Span()}
PAGE_LENGTH = 10
OPERATORS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def page(
    work: RequestContext,
    given: Given,
    kind: str,
    url: str,
    *,
    filters: Mapping[str, Any] | None = None,
    show: Callable[[Json], Json] = lambda made: made,
) -> Json:
    """Return a page of an account's objects of a kind. `filters`: path in the object → the required value."""
    if "starting_after" in given and "ending_before" in given:
        raise malformed("You cannot use both `starting_after` and `ending_before`.", param="ending_before")
    conditions = ["account = ?", "kind = ?"]
    values: list[Any] = [work.account, kind]
    for path, wanted in (filters or {}).items():
        if wanted is None:
            continue
        if isinstance(wanted, list):
            conditions.append(f"json_extract(body, '$.{path}') in ({', '.join('?' for _ in wanted)})")
            values += wanted
        else:
            conditions.append(f"json_extract(body, '$.{path}') = ?")
            values.append(wanted)
    for name in ("created", "available_on", "arrival_date"):
        for bound, at in given.get(name, {}).items():
            conditions.append(f"json_extract(body, '$.{name}') {OPERATORS[bound]} ?")
            values.append(at)
    back = "ending_before" in given
    for name, sign in (("starting_after", "<"), ("ending_before", ">")):
        if name in given:
            conditions.append(f"place {sign} ?")
            values.append(_place(work, kind, given[name], name))
    limit = given.get("limit", PAGE_LENGTH)
    rows = work.store.rows(
        f"select body from objects where {' and '.join(conditions)} "  # noqa: S608 conditions are our own words
        f"order by place {'asc' if back else 'desc'} limit ?",
        [*values, limit + 1],
    )
    found = [json.loads(row["body"]) for row in rows[:limit]]
    if back:
        found.reverse()
    return {"object": "list", "data": [show(each) for each in found], "has_more": len(rows) > limit, "url": url}


def inner(found: list[Json], url: str, given: Given | None = None) -> Json:
    """Return a list that is part of an object, newest first."""
    given = given or {}
    ids = [each["id"] for each in found]
    for name in ("starting_after", "ending_before"):
        if name in given and given[name] not in ids:
            raise unknown("object", given[name], name)
    limit = given.get("limit", PAGE_LENGTH)
    if "starting_after" in given:
        found = found[ids.index(given["starting_after"]) + 1 :]
    if "ending_before" in given:
        before = found[: ids.index(given["ending_before"])]
        return {"object": "list", "data": before[-limit:], "has_more": len(before) > limit, "url": url}
    return {"object": "list", "data": found[:limit], "has_more": len(found) > limit, "url": url}


def belonging(work: RequestContext, kind: str, path: str, id: str) -> list[Json]:
    """Return all objects of a kind whose field at `path` is `id`, newest first."""
    rows = work.store.rows(
        "select id from objects where account = ? and kind = ? and "  # noqa: S608 path is a word of our own
        f"json_extract(body, '$.{path}') = ? order by place desc",
        (work.account, kind, id),
    )
    return [work.get(kind, row["id"]) for row in rows]


def _place(work: RequestContext, kind: str, id: str, name: str) -> int:
    row = work.store.row(
        "select place from objects where id = ? and kind = ? and account = ?", (id, kind, work.account)
    )
    if row is None:
        raise unknown(NAMES.get(kind, kind), id, name)
    return int(row["place"])
