"""What has become of the events: the state of items and voters, and how it differs from what it must be."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import psycopg

from tests.concurrency.raters import Counts, Event, counted

TOLERANCE = 1e-9
ITEMS_COUNT = ("votes", "super_votes", "wins", "sliders", "fires")
VOTERS_COUNT = ("votes", "sliders", "slider_sum", "slider_square_sum", "fires")
UNORDERED = {"organization_id", "version", "created_at", "updated_at"}
"""Columns that say who, when and in how many batches, not what."""

State = dict[tuple[str, str], dict[str, Any]]


def state_of(db: psycopg.Connection[Any], organization_id: UUID) -> State:
    """Everything that is known of an organization's items and voters, by ("item", id) and ("voter", id)."""
    state: State = {}
    for kind, table in (("item", "item_stats"), ("voter", "voters")):
        rows = db.execute(f"select * from rating.{table} where organization_id = %s", [organization_id]).fetchall()
        for row in rows:
            state[kind, row[f"{kind}_id"]] = {name: row[name] for name in row.keys() - UNORDERED}
    return state


def differences(state: State, expected: State) -> list[str]:
    """Where two states differ: counters and names at all, numbers by more than a billionth of their size."""
    found = [f"{thing} is only in one" for thing in sorted(state.keys() ^ expected.keys())]
    for thing in sorted(state.keys() & expected.keys()):
        for name, value in state[thing].items():
            other = expected[thing][name]
            if not _equal(value, other):
                found.append(f"{thing} {name}: {value} instead of {other}")
    return found


def _equal(value: Any, other: Any) -> bool:
    if isinstance(value, float):
        return math.isclose(value, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return bool(value == other)


def miscounted(db: psycopg.Connection[Any], organization_id: UUID, events: Sequence[Event]) -> list[str]:
    """Where counters differ from what these events come to, each counted once."""
    items, voters = counted(events)
    state = state_of(db, organization_id)
    found = _compare("item", items, ITEMS_COUNT, state)
    return found + _compare("voter", voters, VOTERS_COUNT, state)


def _compare(kind: str, expected: Counts, names: Iterable[str], state: State) -> list[str]:
    there: dict[str, Mapping[str, Any]] = {key: row for (what, key), row in state.items() if what == kind}
    found = [f"{kind} {key} is not known to anybody" for key in sorted(there.keys() - expected.keys())]
    for key in sorted(expected):
        row = there.get(key, dict.fromkeys(names, 0))
        found += [
            f"{kind} {key} has {row[name]} {name} instead of {expected[key][name]}"
            for name in names
            if row[name] != expected[key][name]
        ]
    return found


def left_over(db: psycopg.Connection[Any]) -> dict[str, int]:
    """How many rows of the inbox are still to be counted, and how many items are marked."""
    query = """
    select
        (select count(*) from rating.inbox)::int as uncounted,
        (select count(*) from rating.dirty_items)::int as marked
    """
    return dict(db.execute(query).fetchone() or {})


def deadlocks(db: psycopg.Connection[Any]) -> int:
    """How many deadlocks PostgreSQL has broken in this database."""
    db.execute("select pg_stat_force_next_flush()")
    db.execute("select pg_stat_clear_snapshot()")
    query = "select deadlocks from pg_stat_database where datname = current_database()"
    return int((db.execute(query).fetchone() or {})["deadlocks"])
