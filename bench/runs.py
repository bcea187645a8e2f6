"""One run of the benchmark: how thorough it is, where its files are, and what it says meanwhile."""

import contextlib
import fcntl
import os
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from local.postgres import Server

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".local" / "bench"


class Broken(Exception):
    """Something that is measured did not work; the message says what. No figure is made of it."""


@dataclass(frozen=True, slots=True)
class Run:
    """`quick` measures less and for a shorter time; the figures are rougher."""

    quick: bool
    folder: Path

    def pick(self, thorough: int, quick: int) -> int:
        """A number of things or seconds, by how thorough this run is."""
        return quick if self.quick else thorough

    @contextlib.contextmanager
    def server(self) -> Iterator[Server]:
        """A PostgreSQL that keeps what it acknowledges (fsync on), in an empty folder of this run's."""
        server = Server(self.folder / "postgres", durable=True)
        try:
            with step("starting PostgreSQL"):
                server.start()
            yield server
        finally:
            server.stop("immediate")


@contextlib.contextmanager
def begun(*, quick: bool) -> Iterator[Run]:
    """A run with a folder of its own, which goes at the end. Raises Broken where another run has it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Broken("Another benchmark runs here already. Side by side they would measure each other.") from error
        folder = FOLDER / "run"
        _clear(folder)
        folder.mkdir()
        try:
            yield Run(quick, folder)
        finally:
            _clear(folder)


@contextlib.contextmanager
def step(what: str) -> Iterator[None]:
    """Say on the error stream what is being done, and how long it took."""
    print(f"  {what} …", end="", flush=True, file=sys.stderr)
    began = time.perf_counter()
    try:
        yield
    except BaseException:
        print(file=sys.stderr)
        raise
    print(f" {time.perf_counter() - began:.1f} s", flush=True, file=sys.stderr)


def say(text: str) -> None:
    """A line on the error stream."""
    print(f"  {text}", flush=True, file=sys.stderr)


def environment(**variables: str) -> dict[str, str]:
    """What a process that runs Marquee's functions is given: this project's code and nothing of the shell's account."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "DATABASE_", "PG", "TOKEN_", "POWERTOOLS_"))
    }
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "layers" / "domain")]),
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_LAMBDA_FUNCTION_NAME": "bench",
        "POWERTOOLS_TRACE_DISABLED": "true",
        "POWERTOOLS_SERVICE_NAME": "bench",
        "POWERTOOLS_METRICS_NAMESPACE": "Marquee",
        **variables,
    }


def _clear(folder: Path) -> None:
    """Remove what a run left, and stop the server of one that was killed."""
    if (folder / "postgres").exists():
        Server(folder / "postgres", durable=True).stop("immediate")
    shutil.rmtree(folder, ignore_errors=True)
