"""Where the tests' PostgreSQL keeps its data: in memory where there is room, since every test copies a database.

A copy is some 900 files: 0.03 s in memory, up to a second on a busy disk. TMPDIR, if it is set, is taken as it is.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from local.postgres import Server

MEMORY = Path("/dev/shm")
LIMITS = Path("/sys/fs/cgroup")
PREFIX = "marquee-tests-"
BYTES_PER_WORKER_MIN = 1_500_000_000


@contextlib.contextmanager
def data_folder() -> Iterator[Path]:
    """A folder that is deleted afterwards, and what tests that were killed have left with it."""
    place = _place()
    _clear(place)
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=place))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _place() -> Path:
    if "TMPDIR" not in os.environ and MEMORY.is_dir() and os.access(MEMORY, os.W_OK | os.X_OK):
        workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
        if min(shutil.disk_usage(MEMORY).free, _memory_left()) > workers * BYTES_PER_WORKER_MIN:
            return MEMORY
    return Path(tempfile.gettempdir())


def _memory_left() -> int:
    """What this machine has, or what the container may have, whichever is less."""
    left: int = psutil.virtual_memory().available
    with contextlib.suppress(OSError, ValueError):  # where there is no limit, it says "max"
        limit, used = (int((LIMITS / f"memory.{name}").read_text()) for name in ("max", "current"))
        left = min(left, limit - used)
    return left


def _clear(place: Path) -> None:
    for left in place.glob(f"{PREFIX}*"):
        owner = left.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdecimal() and not psutil.pid_exists(int(owner)):
            Server(left / "postgres", durable=False).stop("immediate")
            shutil.rmtree(left, ignore_errors=True)
