"""Processes that begin to measure together."""

import time
from pathlib import Path

from bench.runs import Broken

READY_SECONDS_MAX = 60


def meet(folder: Path, number: int, processes: int) -> None:
    """Say in `folder` that process `number` is ready, and wait until all are. Raises Broken when they don't come."""
    (folder / str(number)).touch()
    deadline = time.monotonic() + READY_SECONDS_MAX
    while len(list(folder.iterdir())) < processes:
        if time.monotonic() > deadline:
            raise Broken("The other processes that were to begin with this one did not come.")
        time.sleep(0.002)
