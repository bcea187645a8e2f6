"""After a commit: the worker is woken, so that scores follow in seconds; its schedule finds what no message brought."""

import time
from typing import Literal

from marquee.core import settings
from marquee.edge import queues
from marquee.edge.observability import MetricUnit, count, logger, metrics
from marquee.rating.ingestion import EventsTaken, PartsTaken
from marquee.rating.work import ProcessBatch

PAUSE_SECONDS = 2


class Waker:
    """Wakes the worker once in two seconds at most.

    The message comes two seconds later, when everything that was committed meanwhile without a message is there too.
    """

    def __init__(self) -> None:
        self._woke_at = float("-inf")

    def wake(self, message: ProcessBatch, now_seconds: float) -> bool:
        """Send a message unless one was sent just now; `now_seconds` is of a clock that never goes back."""
        if now_seconds - self._woke_at < PAUSE_SECONDS:
            return False
        self._woke_at = now_seconds
        return _send(message)


def wake(reason: Literal["events", "items"] = "events") -> bool:
    """Wake the worker, if this was not done just now. Call it after the commit."""
    return _waker.wake(ProcessBatch(reason=reason), time.monotonic())


def count_and_wake(taken: EventsTaken | PartsTaken) -> None:
    """Count what was taken, and wake the worker where there is something to do. What did not happen is not counted."""
    for name, value in (("Accepted", taken.accepted), ("Repeated", taken.duplicates), ("Refused", taken.refused)):
        if value:
            metrics.add_metric(name=f"RatingEvent{name}", unit=MetricUnit.Count, value=value)
    if taken.accepted:
        wake()


def _send(message: ProcessBatch) -> bool:
    """Whether the queue took it. If not nothing is lost: the schedule starts the worker every two minutes."""
    # Imported here: it comes with boto3, which is loaded to send.
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        queues.send(settings.current().require("process_batch_queue_url"), message, delay_seconds=PAUSE_SECONDS)
    except (queues.NotSent, BotoCoreError, ClientError, settings.MissingSetting) as error:
        logger.warning("ratings_not_woken", error=type(error).__name__)
        count("RatingWakeLost")
        return False
    return True


_waker = Waker()
