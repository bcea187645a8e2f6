"""Scheduled work: one bounded piece at a time, within the remaining time of the invocation.

The schedule's input is {"job": "complete_events", …}. A job does a bounded piece of work, and returns its result and
whether there is more:

    def complete_events(turn: schedules.Turn) -> schedules.Outcome:
        with database.single(database.service()) as session:
            done = session.value("select ops.complete_events(most => 500)")
        return schedules.Outcome(done["completed"], more=done["more"])

    def run(event, context):
        return schedules.run(event, context, {"complete_events": complete_events})
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from marquee.edge.observability import MetricUnit, count, duration, logger, metrics

TURNS_MAX = 1000
RESERVE_SECONDS = 5.0


class UnknownJob(Exception):
    """The schedule names a job that this function does not have."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One call of a job: its number within this invocation, and the schedule's input."""

    number: int
    input: Mapping[str, Any]
    seconds_left: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one turn: the number of processed items, and whether there is more to do now."""

    done: int
    more: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)


Job = Callable[[Turn], Outcome]


def stepwise(steps: Iterator[int]) -> Job:
    """Return a job whose turns are the steps of an iterator; each step yields its number of processed items."""

    def take_step(_turn: Turn) -> Outcome:
        done = next(steps, None)
        return Outcome(done or 0, more=done is not None)

    return take_step


def seconds_left(context: LambdaContext) -> float:
    """Return how long this invocation may still run."""
    return context.get_remaining_time_in_millis() / 1000


def run(
    event: Mapping[str, Any],
    context: LambdaContext,
    jobs: Mapping[str, Job],
    *,
    turns_max: int = TURNS_MAX,
    reserve_seconds: float = RESERVE_SECONDS,
) -> dict[str, Any]:
    """Run the event's job, turn by turn, until there is no more to do or the time (less a reserve) is up.

    Returns {"job", "done", "turns", "more", "details"}: `more` means that work remains for the next run, `details` are
    those of the last turn. A fault is raised, so that the schedule retries and then parks the event in its dead
    letters.
    """
    name = event.get("job")
    job = jobs.get(name) if isinstance(name, str) else None
    if not isinstance(name, str) or job is None:
        raise UnknownJob(f"There is no job {name!r} in this function.")
    logger.append_keys(job=name)
    began = time.perf_counter()
    done, turns, outcome = 0, 0, Outcome(0, more=True)
    while outcome.more and turns < turns_max and (turns == 0 or seconds_left(context) > reserve_seconds):
        turns += 1
        outcome = job(Turn(turns, event, seconds_left(context)))
        done += outcome.done
    milliseconds = (time.perf_counter() - began) * 1000
    count("JobRun")
    metrics.add_metric(name="JobItemsDone", unit=MetricUnit.Count, value=done)
    duration("JobDuration", milliseconds, job=name)
    logger.info("job_run", done=done, turns=turns, more=outcome.more, duration_ms=round(milliseconds, 1))
    return {"job": name, "done": done, "turns": turns, "more": outcome.more, "details": dict(outcome.details)}
