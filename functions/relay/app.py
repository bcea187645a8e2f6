"""Relays the outbox to its queues: by schedule, by ticks every ten seconds, at once if there is more."""

from typing import Any

import carrying
import ticking
from marquee.edge import dispatch, queues, schedules
from marquee.edge.observability import LambdaContext, observed
from marquee.operations import jobs

TICKS_SECONDS = range(10, 120, 10)
"""Ticks of a scheduled run. They go beyond the minute because the scheduler may start the next run a minute late."""


def run(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Run the schedule, and send the ticks until the next run has surely started."""

    def relay_outbox(_turn: schedules.Turn) -> schedules.Outcome:
        for seconds in TICKS_SECONDS:
            ticking.tick(seconds)
        return schedules.Outcome(carrying.carry(context).relayed)

    return jobs.recorded("relay_outbox", lambda: schedules.run(event, context, {"relay_outbox": relay_outbox}))


def receive(event: dict[str, Any], context: LambdaContext) -> Any:
    """Relay the outbox for each tick."""

    def relay_outbox(_tick: ticking.Tick, _delivery: queues.Delivery) -> None:
        carrying.carry(context)

    return queues.receive(event, context, ticking.Tick, relay_outbox)


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Run by the schedule or by a tick."""
    return dispatch.by_trigger(event, context, queue=receive, schedule=run)
