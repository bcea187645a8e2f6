"""Messages of the relay to itself: to run again, at once or after some seconds."""

from marquee.core import settings
from marquee.edge import queues


class Tick(queues.Message):
    """Asks the relay to run. `after_seconds` counts from the schedule's run; 0 means that there was more."""

    after_seconds: int


def tick(after_seconds: int) -> None:
    """Ask the relay to run again after so many seconds."""
    message = Tick(after_seconds=after_seconds)
    queues.send(settings.current().require("relay_queue_url"), message, delay_seconds=after_seconds)
