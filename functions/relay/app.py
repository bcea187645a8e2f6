"""Carries the outbox to its queue: by its schedule, by ticks every ten seconds, at once while there is more."""

from collections.abc import Sequence
from typing import Any

from marquee.core import settings
from marquee.edge import queues, schedules, triggers
from marquee.edge.observability import LambdaContext, MetricUnit, count, metrics, observed
from marquee.messaging import relay
from marquee.messaging.happenings import Bundle
from marquee.operations import jobs

TICKS_SECONDS = (10, 20, 30, 40, 50)


class Tick(queues.Message):
    """The relay is to run; `after_seconds` counts from the schedule's run, 0 because there was more."""

    after_seconds: int


def send(bundles: Sequence[Bundle]) -> None:
    """Hand bundles to those who tell people of what is in them."""
    try:
        queues.send_batch(settings.current().require("messages_queue_url"), bundles)
    except queues.NotSent as failure:
        not_taken = [message for message in failure.messages if isinstance(message, Bundle)]
        raise relay.NotTaken(not_taken, failure.code) from failure


def carry(context: LambdaContext) -> relay.Relayed:
    """Relay what there is, and ask for another run when the time was too short."""
    count("RelayRun")
    relayed = relay.relay(send, lambda: schedules.seconds_left(context))
    for name, value in (("Relayed", relayed.relayed), ("Failed", relayed.failed), ("Parked", relayed.parked)):
        metrics.add_metric(name=f"Outbox{name}", unit=MetricUnit.Count, value=value)
    if relayed.more:
        tick(0)
    return relayed


def tick(after_seconds: int) -> None:
    """Have the relay run again, so many seconds from now."""
    message = Tick(after_seconds=after_seconds)
    queues.send(settings.current().require("relay_queue_url"), message, delay_seconds=after_seconds)


def run(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The scheduled run, which also sends the ticks until the next one."""

    def relay_outbox(_turn: schedules.Turn) -> schedules.Outcome:
        for seconds in TICKS_SECONDS:
            tick(seconds)
        return schedules.Outcome(carry(context).relayed)

    return jobs.recorded("relay_outbox", lambda: schedules.run(event, context, {"relay_outbox": relay_outbox}))


def receive(event: dict[str, Any], context: LambdaContext) -> Any:
    """A tick."""

    def relay_outbox(_tick: Tick, _delivery: queues.Delivery) -> None:
        carry(context)

    return queues.receive(event, context, Tick, relay_outbox)


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Run by the schedule or by a tick."""
    return triggers.dispatch(event, context, queue=receive, schedule=run)
