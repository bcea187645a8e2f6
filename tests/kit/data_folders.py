"""Choose the data folder of the tests' PostgreSQL: in memory if there is room, because every test copies a database.

A copy has about 900 files. It takes 0.03 s in memory and up to a second on a busy disk. TMPDIR is used if it is set.
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
    """Create a folder and delete it afterwards. Also delete folders of killed test runs."""
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
    """Return the free memory of this machine or of the container, whichever is less."""
    left: int = psutil.virtual_memory().available
    with contextlib.suppress(OSError, ValueError):  # the file contains "max" if there is no limit
        limit, used = (int((LIMITS / f"memory.{name}").read_text()) for name in ("max", "current"))
        left = min(left, limit - used)
    return left


def _clear(place: Path) -> None:
    for left in place.glob(f"{PREFIX}*"):
        owner = left.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdecimal() and not psutil.pid_exists(int(owner)):
            Server(left / "postgres", durable=False).stop("immediate")
            shutil.rmtree(left, ignore_errors=True)
