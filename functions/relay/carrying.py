"""From the outbox to MessagesQueue, and the ticks that have it done again."""

from collections.abc import Sequence

from marquee.core import settings
from marquee.edge import queues, schedules
from marquee.edge.observability import LambdaContext, MetricUnit, count, metrics
from marquee.messaging import relay
from marquee.messaging.happenings import Bundle


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
