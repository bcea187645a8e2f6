"""Read the state of items and voters, and compare it with the expected state."""

import math
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import psycopg

from tests.kit import stages
from tests.kit.rating_load import Counts, Event, counted, ingest, requests

TOLERANCE = 1e-9
ITEMS_COUNT = ("votes", "super_votes", "wins", "sliders", "fires")
VOTERS_COUNT = ("votes", "sliders", "slider_sum", "slider_square_sum", "fires")
UNORDERED = {"organization_id", "version", "created_at", "updated_at"}
"""Columns with owners, times and batch counts, which differ between equal results."""

State = dict[tuple[str, str], dict[str, Any]]


KNOWN = """
insert into rating.settings (organization_id, period_seconds) values (%(organization_id)s, 86400);

insert into rating.populations (organization_id) values (%(organization_id)s);

insert into rating.item_stats (
    organization_id, item_id, model, mean, deviation, base_mean, base_deviation, slider_sum, slider_weight, version
)
select
    %(organization_id)s, 'item-' || n, 'bayes', 1350 + n * 37 %% 301 + n * 0.01, 60 + n %% 90, 1500, 350,
    n %% 5 * (30 + n %% 40), n %% 5, 1
from generate_series(%(first)s, 199) as n;

insert into rating.voters (organization_id, voter_id, log_odds, residual_sum, residual_square_sum)
select %(organization_id)s, 'voter-' || n, (n %% 7 - 3) * 0.5, n %% 11 - 5, 200 + n
from generate_series(1, 60) as n;
"""
"""Inserts a different earlier state for each item, so that equal values cannot hide a fault.

All of it lies before the population's period. A batch that reads another batch's new state instead of the earlier
state then gets a different result.
"""


def stage(db: psycopg.Connection[Any], events: Sequence[Event] = (), first: int = 1) -> UUID:
    """Create an organization with an open period and events to count. Items from `first` have an earlier state."""
    organization_id = stages.create(db).organization_id
    with psycopg.ClientCursor(db) as cursor:
        cursor.execute(KNOWN, {"organization_id": organization_id, "first": first})
    for request in requests(events, 200):
        ingest(db, organization_id, request)
    return organization_id


def state_of(db: psycopg.Connection[Any], organization_id: UUID) -> State:
    """Return the state of an organization's items and voters, by ("item", id) and ("voter", id)."""
    state: State = {}
    for kind, table in (("item", "item_stats"), ("voter", "voters")):
        rows = db.execute(f"select * from rating.{table} where organization_id = %s", [organization_id]).fetchall()
        for row in rows:
            state[kind, row[f"{kind}_id"]] = {name: row[name] for name in row.keys() - UNORDERED}
    return state


def differences(state: State, expected: State) -> list[str]:
    """Return the differences of two states. Numbers may differ by a billionth of their size."""
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
    """Return counters that differ from the expected counts of these events, each counted once."""
    items, voters = counted(events)
    state = state_of(db, organization_id)
    found = _compare("item", items, ITEMS_COUNT, state)
    return found + _compare("voter", voters, VOTERS_COUNT, state)


def _compare(kind: str, expected: Counts, names: Sequence[str], state: State) -> list[str]:
    there: dict[str, Mapping[str, Any]] = {key: row for (what, key), row in state.items() if what == kind}
    nothing = dict.fromkeys(names, 0)
    return [
        f"{kind} {key} has {there.get(key, nothing)[name]} {name} instead of {expected.get(key, nothing)[name]}"
        for key in sorted(there.keys() | expected.keys())
        for name in names
        if there.get(key, nothing)[name] != expected.get(key, nothing)[name]
    ]


def left_over(db: psycopg.Connection[Any]) -> dict[str, int]:
    """Return the number of uncounted rows in the inbox and of marked items."""
    query = """
    select
        (select count(*) from rating.inbox)::int as uncounted,
        (select count(*) from rating.dirty_items)::int as marked
    """
    return dict(db.execute(query).fetchone() or {})


def deadlocks(db: psycopg.Connection[Any]) -> int:
    """Return how many deadlocks PostgreSQL has resolved in this database."""
    db.execute("select pg_stat_force_next_flush()")
    db.execute("select pg_stat_clear_snapshot()")
    query = "select deadlocks from pg_stat_database where datname = current_database()"
    return int((db.execute(query).fetchone() or {})["deadlocks"])
