"""Carries the outbox to its queue: by its schedule, by ticks every ten seconds, at once while there is more."""

from typing import Any

import carrying
import ticking
from marquee.edge import queues, schedules, triggers
from marquee.edge.observability import LambdaContext, observed
from marquee.operations import jobs

TICKS_SECONDS = range(10, 120, 10)
"""Of a scheduled run; beyond the minute, for the scheduler may start the next run that much later."""


def run(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The scheduled run, which also sends the ticks until the next one has surely begun."""

    def relay_outbox(_turn: schedules.Turn) -> schedules.Outcome:
        for seconds in TICKS_SECONDS:
            ticking.tick(seconds)
        return schedules.Outcome(carrying.carry(context).relayed)

    return jobs.recorded("relay_outbox", lambda: schedules.run(event, context, {"relay_outbox": relay_outbox}))


def receive(event: dict[str, Any], context: LambdaContext) -> Any:
    """A tick."""

    def relay_outbox(_tick: ticking.Tick, _delivery: queues.Delivery) -> None:
        carrying.carry(context)

    return queues.receive(event, context, ticking.Tick, relay_outbox)


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Run by the schedule or by a tick."""
    return triggers.dispatch(event, context, queue=receive, schedule=run)
