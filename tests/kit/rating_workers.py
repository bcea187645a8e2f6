"""Run workers in separate processes, forked from a process that has imported everything.

A worker is named "module:function". It claims and counts one batch, and returns the number of its items.
"""

import contextlib
import importlib
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerProcess
from multiprocessing.synchronize import Event as Signal
from typing import Any

from marquee.core.errors import Unavailable
from marquee.rating import processing

PRODUCT = "tests.kit.rating_workers:batch"
CLAIM_BY_DELETE = "tests.kit.wrong_rating_workers:claim_by_delete"
SERIAL_CHECKPOINT = "tests.kit.wrong_rating_workers:count_after_checkpoint"

SECONDS_MAX = 600

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.kit.rating_workers", "tests.kit.wrong_rating_workers"])


def batch() -> int:
    """Run the product's worker."""
    return processing.process_batch(record_nothing=False).items


def found(worker: str) -> Callable[[], int]:
    """Load a worker by its name."""
    module, name = worker.split(":")
    function: Callable[[], int] = getattr(importlib.import_module(module), name)
    return function


def work(worker: str, url: str, over: Signal | None) -> None:
    """Process batches until none is available and, with `over`, until it is set. Runs in its own process.

    An unavailable database is retried soon.
    """
    os.environ["DATABASE_URL"] = url
    run, deadline = found(worker), time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline:
        is_last = over is None or over.is_set()
        try:
            worked = run()
        except Unavailable:
            time.sleep(0.02)
            continue
        if not worked:
            if is_last:
                return
            time.sleep(0.005)
    raise TimeoutError


def fork(run: Callable[..., None], *arguments: Any) -> ForkServerProcess:
    """Start a process that runs a function of a module."""
    process = _context.Process(target=run, args=arguments, daemon=True)
    process.start()
    return process


def start(worker: str, url: str, over: Signal | None = None) -> ForkServerProcess:
    """Start a worker process."""
    return fork(work, worker, url, over)


def finish(*processes: ForkServerProcess) -> None:
    """Wait until the processes end. Each must succeed."""
    for process in processes:
        process.join(SECONDS_MAX)
    assert [process.exitcode for process in processes] == [0] * len(processes)


@contextlib.contextmanager
def working(worker: str, url: str, number: int) -> Iterator[list[ForkServerProcess]]:
    """Run worker processes during a block, and then until nothing remains. Kill them after an error."""
    over = _context.Event()
    processes = [start(worker, url, over) for _ in range(number)]
    try:
        yield processes
        over.set()
        finish(*processes)
    finally:
        for process in processes:
            process.kill()
