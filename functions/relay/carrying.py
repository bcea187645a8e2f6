"""From the outbox to the queues of those who tell people and subscribers."""

from collections.abc import Sequence

import ticking
from marquee.core import settings
from marquee.edge import queues, schedules
from marquee.edge.observability import LambdaContext, MetricUnit, count, metrics
from marquee.messaging import relay
from marquee.messaging.happenings import Bundle, is_for_subscribers


def send(bundles: Sequence[Bundle]) -> None:
    """Hand bundles to those who tell people, and what subscribers may hear of to those who send webhooks.

    Two queues, so that neither waits for the other's receivers; a bundle that one of them does not take comes again to
    both, which know it by its ids.
    """
    for_subscribers = {
        id(bundle): Bundle(happenings=heard)
        for bundle in bundles
        if (heard := [each for each in bundle.happenings if is_for_subscribers(each)])
    }
    not_taken, code = _send("messages_queue_url", bundles)
    not_heard, other_code = _send("deliver_queue_url", list(for_subscribers.values()))
    failed = [
        bundle for bundle in bundles if bundle in not_taken or for_subscribers.get(id(bundle), bundle) in not_heard
    ]
    if failed:
        raise relay.NotTaken(failed, code or other_code)


def _send(queue: str, bundles: Sequence[Bundle]) -> tuple[list[Bundle], str]:
    """Send to a queue, by its setting; the bundles that it did not take, and its word for why."""
    if not bundles:
        return [], ""
    try:
        queues.send_batch(settings.current().require(queue), bundles)
    except queues.NotSent as failure:
        return [message for message in failure.messages if isinstance(message, Bundle)], failure.code
    return [], ""


def carry(context: LambdaContext) -> relay.Relayed:
    """Relay what there is, and ask for another run when the time was too short."""
    count("RelayRun")
    relayed = relay.relay(send, lambda: schedules.seconds_left(context))
    for name, value in (("Relayed", relayed.relayed), ("Failed", relayed.failed), ("Parked", relayed.parked)):
        metrics.add_metric(name=f"Outbox{name}", unit=MetricUnit.Count, value=value)
    if relayed.more:
        ticking.tick(0)
    return relayed
