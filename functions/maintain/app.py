"""Scheduled upkeep: completes events, reminds of them, keeps partitions, cleans up, checks health, raises alerts."""

from typing import Any

import chores
from marquee.edge import schedules, triggers
from marquee.edge.observability import LambdaContext, count, observed
from marquee.operations import jobs, maintenance

WORK = {
    "complete_events": chores.complete_events,
    "send_reminders": chores.send_reminders,
    "expire_credits": chores.expire_credits,
    "partitions": chores.partitions,
    "health": chores.health,
}


def run(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Run the schedule's job and write its run down."""
    count("MaintainRun")
    steps = maintenance.clean_up()

    def clean_up(_turn: schedules.Turn) -> schedules.Outcome:
        """What has outlived its purpose is deleted, counters are compared with their rows."""
        done = next(steps, None)
        return schedules.Outcome(done or 0, more=done is not None)

    work = {**WORK, "clean_up": clean_up}
    return jobs.recorded(str(event.get("job")), lambda: schedules.run(event, context, work))


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Run by one of its schedules."""
    return triggers.dispatch(event, context, schedule=run)
