"""Scheduled maintenance: completes events, reminds customers, creates partitions, cleans up, checks health."""

import itertools
from typing import Any

import chores
from marquee.edge import dispatch, schedules
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
    """Run the schedule's job and record its run."""
    count("MaintainRun")
    sealing = chores.seal_webhook_secrets()
    work = {
        **WORK,
        # Expired data is deleted, counters are compared with their rows, secrets are sealed.
        "clean_up": schedules.stepwise(itertools.chain(maintenance.clean_up(), sealing)),
        "seal_webhook_secrets": schedules.stepwise(sealing),
    }
    return jobs.recorded(str(event.get("job")), lambda: schedules.run(event, context, work))


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Run by one of the schedules."""
    return dispatch.by_trigger(event, context, schedule=run)
