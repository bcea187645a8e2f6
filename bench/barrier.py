"""A barrier for processes that start to measure at the same time."""

import time
from pathlib import Path

from bench.runs import MeasurementFailed

READY_SECONDS_MAX = 60


def wait(folder: Path, number: int, processes: int) -> None:
    """Mark process `number` as ready by a file in `folder`, and wait until all `processes` are ready.

    Raises MeasurementFailed when one of them is not ready in time.
    """
    (folder / str(number)).touch()
    deadline = time.monotonic() + READY_SECONDS_MAX
    while len(list(folder.iterdir())) < processes:
        if time.monotonic() > deadline:
            raise MeasurementFailed(f"Not all {processes} processes were ready after {READY_SECONDS_MAX} s.")
        time.sleep(0.002)
