"""API Gateway's throttling: a bucket of tokens for each method of each resource."""

import time
from collections.abc import Callable, Iterable

from local.resources import Operation, Throttle


class Bucket:
    """Admits `rate` requests per second, and `burst` at once."""

    def __init__(self, throttle: Throttle, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = throttle.rate
        self._burst = float(throttle.burst)
        self._clock = clock
        self._tokens = self._burst
        self._at = clock()

    def take(self) -> bool:
        """Take a token; False if none is left."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Throttles:
    """The buckets of an API."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._buckets = {
            (operation.method, operation.path): Bucket(operation.throttle)
            for operation in operations
            if operation.throttle is not None
        }

    def allow(self, operation: Operation) -> bool:
        """Return whether one more request to this operation may pass now."""
        bucket = self._buckets.get((operation.method, operation.path))
        return bucket is None or bucket.take()
