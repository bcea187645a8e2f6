"""Messages of the relay to itself: to run again, at once or some seconds from now."""

from marquee.core import settings
from marquee.edge import queues


class Tick(queues.Message):
    """The relay is to run; `after_seconds` counts from the schedule's run, 0 because there was more."""

    after_seconds: int


def tick(after_seconds: int) -> None:
    """Have the relay run again, so many seconds from now."""
    message = Tick(after_seconds=after_seconds)
    queues.send(settings.current().require("relay_queue_url"), message, delay_seconds=after_seconds)
