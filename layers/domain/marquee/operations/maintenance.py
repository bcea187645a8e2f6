"""Automatic maintenance in bounded steps; the rules are SQL routines."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from marquee.core import database

EVENTS_MOST = 500
NO_SHOWS_MOST = 200
LISTINGS_MOST = 500
LOTS_MOST = 500
HOURS_MOST = 48
ROWS_MOST = 5000
COUNTERS_MOST = 1000
STEPS_MOST = 10_000


class PartitionsFailed(Exception):
    """The partitions of some table could not be created or dropped; those of the others were."""


@dataclass(frozen=True, slots=True)
class Health:
    """The result of a health check: the worst status of all checks, and the alerts raised and resolved."""

    status: str
    checks: dict[str, str]
    fired: list[str]
    resolved: list[str]


def complete_events() -> tuple[int, bool]:
    """Complete events that have ended. Returns their number, and whether there may be more."""
    done = _call("select ops.complete_events(most => %s)", EVENTS_MOST)
    return done["completed"], done["more"]


def mark_no_shows() -> tuple[int, bool]:
    """Make unmarked bookings no-shows by their policy. Returns their number, and whether there may be more."""
    done = _call("select events.mark_no_shows(most => %s)", NO_SHOWS_MOST)
    return done["marked"], done["more"]


def refresh_listings() -> tuple[int, bool]:
    """Write queued listings of events again. Returns their number, and whether there may be more."""
    with database.single(database.service()) as session:
        done: int = session.value("select events.refresh_stale_listings(%s)", [LISTINGS_MOST])
    return done, done == LISTINGS_MOST


def expire_credits() -> tuple[int, bool]:
    """Expire credits that were not used in time. Returns the number of lots, and whether there may be more."""
    done = _call("select payments.expire_credits(most => %s)", LOTS_MOST)
    return done["lots"], done["more"]


def maintain_partitions() -> dict[str, Any]:
    """Create future partitions and drop expired ones. Returns the result of ops.maintain_partitions.

    Raises PartitionsFailed after all other partitions were processed.
    """
    done = _call("select ops.maintain_partitions()")
    if done["failed"]:
        raise PartitionsFailed("; ".join(f"{failure['table']}: {failure['error']}" for failure in done["failed"]))
    return done


def archive_rating_events() -> list[str]:
    """Archive months of rating events that ended a year ago and are counted. Returns their partitions."""
    archived: list[str] = _call("select rating.archive_events()")["archived"]
    return archived


def clean_up() -> Iterator[int]:
    """Roll up metrics, apply ops.retention, erase people, and compare all counters, step by step.

    Each step is bounded and yields its number of processed items.
    """
    for _step in range(STEPS_MOST):
        done = _call("select ops.roll_up_metrics(hours_most => %s)", HOURS_MOST)
        yield done["hours"]
        if not done["more"]:
            break

    for _step in range(STEPS_MOST):
        done = _call("select ops.clean_up(most => %s)", ROWS_MOST)
        yield sum(count for name, count in done.items() if name != "more")
        if not done["more"]:
            break

    yield from _erase_people()

    after = None
    for _step in range(STEPS_MOST):
        done = _call("select ops.verify_counters(after => %s, most => %s)", after, COUNTERS_MOST)
        yield done["checked"]
        after = done["last"]
        if after is None:
            break


def _erase_people() -> Iterator[int]:
    """Erase the people whose requests are due, then repeat recent erasures."""
    last: tuple[Any, Any] = (None, None)
    for _step in range(STEPS_MOST):
        done = _call("select users.erase_due(after_at => %s, after_id => %s)", *last)
        last = (done["last_at"], done["last_id"])
        if last == (None, None):
            break
        yield done["erased"]

    after = None
    for _step in range(STEPS_MOST):
        done = _call("select users.sweep_erased(after => %s)", after)
        after = done["last"]
        if after is None:
            break
        yield done["swept"]


def check_health() -> Health:
    """Run the health checks, with the response time of the database, and the alert rules over their figures."""
    checked = _call("select ops.check_health(database_ms => %s)", _database_milliseconds())
    alerts = _call("select ops.evaluate_alerts()")
    return Health(checked["status"], checked["checks"], alerts["fired"], alerts["resolved"])


def _database_milliseconds() -> float:
    """Return the round-trip time of a query without work over an open connection."""
    times = []
    for _attempt in range(2):
        began = time.perf_counter()
        with database.single(database.service()) as session:
            session.value("select 1")
        times.append((time.perf_counter() - began) * 1000)
    return times[-1]


def _call(statement: str, *params: Any) -> dict[str, Any]:
    with database.single(database.service()) as session:
        answer: dict[str, Any] = session.value(statement, params)
    return answer
