"""Relay the outbox to its queues: by schedule, by ticks every ten seconds, at once if there is more."""

from collections.abc import Sequence
from typing import Any

from marquee.core import settings
from marquee.edge import dispatch, queues, schedules
from marquee.edge.observability import LambdaContext, MetricUnit, count, metrics, observed
from marquee.messaging import relay
from marquee.messaging.topics import Bundle, is_for_subscribers
from marquee.operations import jobs

TICKS_SECONDS = range(10, 120, 10)
"""Ticks of a scheduled run. They go beyond the minute because the scheduler may start the next run a minute late."""


class Tick(queues.Message):
    """Asks the relay to run. `after_seconds` counts from the schedule's run; 0 means that there was more."""

    after_seconds: int


def _tick(after_seconds: int) -> None:
    """Ask the relay to run again after so many seconds."""
    message = Tick(after_seconds=after_seconds)
    queues.send(settings.current().require("relay_queue_url"), message, delay_seconds=after_seconds)


def send(bundles: Sequence[Bundle]) -> None:
    """Send bundles to the queue for people, and their public messages to the queue for subscribers.

    There are two queues, so that neither waits for the other's receivers. A bundle that one queue does not accept is
    sent to both again; the receivers recognize it by its ids.
    """
    for_subscribers = {
        id(bundle): Bundle(messages=heard)
        for bundle in bundles
        if (heard := [each for each in bundle.messages if is_for_subscribers(each)])
    }
    not_taken, code = _send("messages_queue_url", bundles)
    not_heard, other_code = _send("deliver_queue_url", list(for_subscribers.values()))
    failed = [
        bundle for bundle in bundles if bundle in not_taken or for_subscribers.get(id(bundle), bundle) in not_heard
    ]
    if failed:
        raise relay.NotTaken(failed, code or other_code)


def _send(queue: str, bundles: Sequence[Bundle]) -> tuple[list[Bundle], str]:
    """Send to a queue, named by its setting. Returns the bundles that it did not accept, and SQS's error code."""
    if not bundles:
        return [], ""
    try:
        queues.send_batch(settings.current().require(queue), bundles)
    except queues.NotSent as failure:
        return [message for message in failure.messages if isinstance(message, Bundle)], failure.code
    return [], ""


def relay_pending(context: LambdaContext) -> relay.Relayed:
    """Relay the outbox, and ask for another run if the time was too short."""
    count("RelayRun")
    relayed = relay.relay(send, lambda: schedules.seconds_left(context))
    for name, value in (("Relayed", relayed.relayed), ("Failed", relayed.failed), ("Parked", relayed.parked)):
        metrics.add_metric(name=f"Outbox{name}", unit=MetricUnit.Count, value=value)
    if relayed.more:
        _tick(0)
    return relayed


def run(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Run the schedule, and send the ticks until the next run has surely started."""

    def relay_outbox(_turn: schedules.Turn) -> schedules.Outcome:
        for seconds in TICKS_SECONDS:
            _tick(seconds)
        return schedules.Outcome(relay_pending(context).relayed)

    return jobs.record_run("relay_outbox", lambda: schedules.run(event, context, {"relay_outbox": relay_outbox}))


def receive(event: dict[str, Any], context: LambdaContext) -> Any:
    """Relay the outbox for each tick."""

    def relay_outbox(_message: Tick, _delivery: queues.Delivery) -> None:
        relay_pending(context)

    return queues.receive(event, context, Tick, relay_outbox)


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Run by the schedule or by a tick."""
    return dispatch.by_trigger(event, context, queue=receive, schedule=run)
