"""The time of the stand-in: the machine's time, moved or frozen."""

import time
from collections.abc import Callable

DAY_SECONDS = 86_400


class Clock:
    """`offset_seconds` from the machine's time; `frozen_at` if it is frozen."""

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self.offset_seconds = 0.0
        self.frozen_at: float | None = None

    def now(self) -> float:
        """Return seconds since 1970."""
        return self._source() + self.offset_seconds if self.frozen_at is None else self.frozen_at

    def set(self, now: float) -> None:
        """Set this time; a frozen clock stays frozen."""
        if self.frozen_at is None:
            self.offset_seconds = now - self._source()
        else:
            self.frozen_at = now

    def freeze(self) -> None:
        """Freeze the clock."""
        self.frozen_at = self.now()

    def run(self) -> None:
        """Let the clock run on from its current time."""
        now, self.frozen_at = self.now(), None
        self.set(now)
