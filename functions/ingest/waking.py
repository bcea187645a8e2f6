"""Wakes the worker after a commit, so that scores follow in seconds. Its schedule finds items without a message."""

import time
from typing import Literal

from marquee.core import settings
from marquee.edge import queues
from marquee.edge.observability import MetricUnit, count, logger, metrics
from marquee.rating.ingestion import EventsTaken, PartsTaken
from marquee.rating.messages import ProcessBatch

PAUSE_SECONDS = 2


class Waker:
    """Wakes the worker at most once every two seconds.

    The message is delayed by two seconds so that it also covers requests that committed in between.
    """

    def __init__(self) -> None:
        self._woke_at = float("-inf")

    def wake(self, message: ProcessBatch, now_seconds: float) -> bool:
        """Send a message unless one was just sent. `now_seconds` comes from a clock that never runs backwards."""
        if now_seconds - self._woke_at < PAUSE_SECONDS:
            return False
        self._woke_at = now_seconds
        return _send(message)


def wake(reason: Literal["events", "items"] = "events") -> bool:
    """Wake the worker, unless it was just woken. Call it after the commit."""
    return _waker.wake(ProcessBatch(reason=reason), time.monotonic())


def count_and_wake(taken: EventsTaken | PartsTaken) -> None:
    """Count the results, and wake the worker if events were accepted. Zeros are not counted."""
    for name, value in (("Accepted", taken.accepted), ("Repeated", taken.duplicates), ("Refused", taken.refused)):
        if value:
            metrics.add_metric(name=f"RatingEvent{name}", unit=MetricUnit.Count, value=value)
    if taken.accepted:
        wake()


def _send(message: ProcessBatch) -> bool:
    """Return whether the queue accepted the message. If not, nothing is lost: the schedule runs every two minutes."""
    # Imported here because it loads boto3, which only sending needs.
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        queues.send(settings.current().require("process_batch_queue_url"), message, delay_seconds=PAUSE_SECONDS)
    except (queues.NotSent, BotoCoreError, ClientError, settings.MissingSetting) as error:
        logger.warning("ratings_not_woken", error=type(error).__name__)
        count("RatingWakeLost")
        return False
    return True


_waker = Waker()
