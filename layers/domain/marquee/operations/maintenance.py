"""What keeps the system running by itself, a bounded piece at a time; the database knows how."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from marquee.core import database

EVENTS_MOST = 500
LOTS_MOST = 500
HOURS_MOST = 48
ROWS_MOST = 5000
COUNTERS_MOST = 1000
STEPS_MOST = 10_000


class PartitionsFailed(Exception):
    """The partitions of some table could not be made or dropped; those of the others were."""


@dataclass(frozen=True, slots=True)
class Health:
    """What a check found: the worst of all checks, and which alerts were raised and cleared."""

    status: str
    checks: dict[str, str]
    fired: list[str]
    resolved: list[str]


def complete_events() -> tuple[int, bool]:
    """Complete events that are over; how many, and whether there may be more."""
    done = _call("select ops.complete_events(most => %s)", EVENTS_MOST)
    return done["completed"], done["more"]


def expire_credits() -> tuple[int, bool]:
    """Let credits that nobody used in time lapse; how many lots, and whether there may be more."""
    done = _call("select payments.expire_credits(most => %s)", LOTS_MOST)
    return done["lots"], done["more"]


def maintain_partitions() -> dict[str, Any]:
    """Make partitions ahead and drop those past retention; what ops.maintain_partitions answers.

    Raises PartitionsFailed after everything that could be done has been.
    """
    done = _call("select ops.maintain_partitions()")
    if done["failed"]:
        raise PartitionsFailed("; ".join(f"{failure['table']}: {failure['error']}" for failure in done["failed"]))
    return done


def archive_rating_events() -> list[str]:
    """Put months of ratings' events away that ended a year ago and are counted; their partitions."""
    archived: list[str] = _call("select rating.archive_events()")["archived"]
    return archived


def clean_up() -> Iterator[int]:
    """Roll metrics up, apply ops.retention, erase again who was erased lately, and compare all counters, step by step.

    Each step is bounded and yields how many things it dealt with.
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

    after = None
    for _step in range(STEPS_MOST):
        done = _call("select users.sweep_erased(after => %s)", after)
        after = done["last"]
        if after is None:
            break
        yield done["swept"]

    after = None
    for _step in range(STEPS_MOST):
        done = _call("select ops.verify_counters(after => %s, most => %s)", after, COUNTERS_MOST)
        yield done["checked"]
        after = done["last"]
        if after is None:
            break


def check_health() -> Health:
    """Run the health checks, with how long the database took to answer, and the alert rules over their figures."""
    checked = _call("select ops.check_health(database_ms => %s)", _database_milliseconds())
    alerts = _call("select ops.evaluate_alerts()")
    return Health(checked["status"], checked["checks"], alerts["fired"], alerts["resolved"])


def _database_milliseconds() -> float:
    """How long a question without any work takes, there and back, over a connection that is open."""
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
