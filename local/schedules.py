"""EventBridge Scheduler: runs the template's schedules when they are due, and one at once on request."""

import asyncio
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from local.aws import Services
from local.console import Console
from local.cron import Expression
from local.functions import Outcome
from local.invocations import Dispatcher, Undelivered
from local.resources import Schedule

SLEEP_SECONDS_MAX = 30.0
RETRY_SECONDS_MAX = 300.0


class UnknownSchedule(LookupError):
    """No schedule, or more than one, has this name; the message lists the existing ones."""


@dataclass(frozen=True, slots=True)
class Due:
    """A schedule and its next time, in UTC; None if there is none."""

    schedule: Schedule
    next_at: datetime | None


class Scheduler:
    """Keeps time for all schedules of a stack. Raises ExpressionError for an invalid one."""

    def __init__(
        self, schedules: Sequence[Schedule], dispatcher: Dispatcher, services: Services, console: Console
    ) -> None:
        self._schedules = {
            schedule.logical_id: (schedule, Expression.parse(schedule.expression, schedule.timezone))
            for schedule in schedules
        }
        self._dispatcher = dispatcher
        self._services = services
        self._console = console
        self._began = datetime.now(UTC)

    async def run(self) -> None:
        """Keep time until cancelled."""
        self._began = datetime.now(UTC)
        async with asyncio.TaskGroup() as group:
            for schedule, expression in self._schedules.values():
                if schedule.enabled:
                    group.create_task(self._keep(schedule, expression))

    def due(self) -> list[Due]:
        """Return all schedules with their next times, the next first."""
        now = datetime.now(UTC)
        found = [
            Due(schedule, self._next(schedule, expression, now) if schedule.enabled else None)
            for schedule, expression in self._schedules.values()
        ]
        return sorted(found, key=lambda due: (due.next_at is None, due.next_at or now, due.schedule.title))

    def find(self, name: str) -> Schedule:
        """Return a schedule by its title, name, logical id, or the end of one, also without "Schedule" at the end.

        Raises UnknownSchedule.
        """
        schedules = {schedule: _names(schedule) for schedule, _ in self._schedules.values()}
        wanted = (name.lower(), f"{name.lower()}schedule")
        exact = [each for each, names in schedules.items() if names & set(wanted)]
        ending = [each for each, names in schedules.items() if any(known.endswith(wanted) for known in names)]
        found = (exact or ending) if name else []
        if len(found) != 1:
            known = ", ".join(sorted(each.title for each in schedules)) or "none"
            problem = f"There are several schedules {name!r}" if found else f"There is no schedule {name!r}"
            raise UnknownSchedule(f"{problem if name else 'Name a schedule'}. Schedules here: {known}.")
        return found[0]

    async def fire(self, name: str) -> Outcome | None:
        """Run a schedule's target now, once, and return its outcome. Raises UnknownSchedule, Undelivered."""
        schedule = self.find(name)
        payload = self._payload(schedule, datetime.now(UTC), 1)
        return await self._dispatcher.call(schedule.target_arn, payload, f"{schedule.title} (by hand)")

    def _next(self, schedule: Schedule, expression: Expression, after: datetime) -> datetime | None:
        since = datetime.fromisoformat(schedule.starts_at).astimezone(UTC) if schedule.starts_at else self._began
        found = expression.next_after(max(after, since - timedelta(seconds=1)), since)
        ends_at = datetime.fromisoformat(schedule.ends_at).astimezone(UTC) if schedule.ends_at else None
        return None if found is not None and ends_at is not None and found > ends_at else found

    async def _keep(self, schedule: Schedule, expression: Expression) -> None:
        next_at = self._next(schedule, expression, datetime.now(UTC))
        while next_at is not None:
            window = random.uniform(0, schedule.flexible_minutes * 60)  # noqa: S311  # no secret
            await _until(next_at + timedelta(seconds=window))
            await self._start(schedule, next_at)
            # After a sleep of the machine, one run replaces all that were missed.
            next_at = self._next(schedule, expression, max(next_at, datetime.now(UTC)))

    async def _start(self, schedule: Schedule, at: datetime) -> None:
        """Pass the input to the target; a refused input is retried, then sent to the dead letters."""
        began, attempt = datetime.now(UTC), 0
        while True:
            attempt += 1
            try:
                await self._dispatcher.deliver(
                    schedule.target_arn, self._payload(schedule, at, attempt), schedule.title
                )
                return
            except Undelivered as error:
                pause = min(2.0**attempt, RETRY_SECONDS_MAX)
                aged = (datetime.now(UTC) - began).total_seconds() + pause > schedule.age_seconds_max
                if attempt > schedule.retries_max or aged:
                    await self._bury(schedule, at, attempt, error)
                    return
                await asyncio.sleep(pause)

    async def _bury(self, schedule: Schedule, at: datetime, attempt: int, error: Undelivered) -> None:
        self._console.say(f"{schedule.title}: {error}")
        if schedule.dead_letter_arn is None:
            return
        attributes = {
            "ERROR_CODE": "Undelivered",
            "ERROR_MESSAGE": str(error),
            "SCHEDULE_ARN": self._arn(schedule),
            "TARGET_ARN": schedule.target_arn,
            "RETRY_ATTEMPTS": str(attempt - 1),
        }
        try:
            await self._services.send(schedule.dead_letter_arn, self._payload(schedule, at, attempt), attributes)
        except (BotoCoreError, ClientError) as failure:
            self._console.say(f"{schedule.title}: the dead letters got nothing: {failure}")

    def _payload(self, schedule: Schedule, at: datetime, attempt: int) -> str:
        """Return the input with Scheduler's context attributes inserted."""
        values = {
            "<aws.scheduler.schedule-arn>": self._arn(schedule),
            "<aws.scheduler.scheduled-time>": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "<aws.scheduler.execution-id>": str(uuid4()),
            "<aws.scheduler.attempt-number>": str(attempt),
        }
        text = schedule.input
        for name, value in values.items():
            text = text.replace(name, json.dumps(value)[1:-1])
        return text

    def _arn(self, schedule: Schedule) -> str:
        return self._services.account.arn("scheduler", f"schedule/default/{schedule.name}")


def _names(schedule: Schedule) -> set[str]:
    return {name.lower() for name in (schedule.title, schedule.name, schedule.logical_id)}


async def _until(moment: datetime) -> None:
    """Sleep until a moment of the wall clock, which may jump."""
    while (left := (moment - datetime.now(UTC)).total_seconds()) > 0:
        await asyncio.sleep(min(left, SLEEP_SECONDS_MAX))
