"""From the outbox to the queues of the functions that notify people and deliver webhooks."""

from collections.abc import Sequence

import ticking
from marquee.core import settings
from marquee.edge import queues, schedules
from marquee.edge.observability import LambdaContext, MetricUnit, count, metrics
from marquee.messaging import relay
from marquee.messaging.topics import Bundle, is_for_subscribers


def send(bundles: Sequence[Bundle]) -> None:
    """Send bundles to the queue for people, and their public messages to the queue for subscribers.

    Two queues, so that neither waits for the other's receivers. A bundle that one queue does not accept is sent to both
    again; the receivers recognize it by its ids.
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
    """Send to a queue, named by its setting. Returns the bundles that it did not accept, and its reason."""
    if not bundles:
        return [], ""
    try:
        queues.send_batch(settings.current().require(queue), bundles)
    except queues.NotSent as failure:
        return [message for message in failure.messages if isinstance(message, Bundle)], failure.code
    return [], ""


def carry(context: LambdaContext) -> relay.Relayed:
    """Relay the outbox, and ask for another run if the time was too short."""
    count("RelayRun")
    relayed = relay.relay(send, lambda: schedules.seconds_left(context))
    for name, value in (("Relayed", relayed.relayed), ("Failed", relayed.failed), ("Parked", relayed.parked)):
        metrics.add_metric(name=f"Outbox{name}", unit=MetricUnit.Count, value=value)
    if relayed.more:
        ticking.tick(0)
    return relayed
