"""Ask a worker to run soon, by one message for many requests. A lost message fails no request.

_worker = WorkerTrigger("process_batch_queue_url")
_worker.fire(ProcessBatch(reason="events"))  # after the commit
"""

import time

from pydantic import BaseModel

from marquee.core import settings
from marquee.edge import queues
from marquee.edge.observability import count, logger

PAUSE_SECONDS = 2


class WorkerTrigger:
    """Sends a message to a worker's queue, named by its setting, at most once every two seconds.

    The message is delayed by two seconds so that it also covers requests that committed in between.
    """

    def __init__(self, queue: str) -> None:
        self._queue = queue
        self._fired_at = float("-inf")

    def fire(self, message: BaseModel, *, now_seconds: float | None = None) -> bool:
        """Send a message unless one was just sent. Return whether the queue accepted it.

        A lost message is counted and not raised, because the worker's schedule finds the work. `now_seconds` comes
        from a clock that never runs backwards.
        """
        now_seconds = time.monotonic() if now_seconds is None else now_seconds
        if now_seconds - self._fired_at < PAUSE_SECONDS:
            return False
        self._fired_at = now_seconds
        # Imported here because it loads boto3, which only sending needs.
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            queues.send(settings.current().require(self._queue), message, delay_seconds=PAUSE_SECONDS)
        except (queues.NotSent, BotoCoreError, ClientError, settings.MissingSetting) as error:
            logger.warning("worker_not_triggered", queue=self._queue, error=type(error).__name__)
            count("WorkerTriggerLost")
            return False
        return True
