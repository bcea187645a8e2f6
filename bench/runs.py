"""One run of the benchmark: how thorough it is, the folder of its files, and its progress lines."""

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


class MeasurementFailed(Exception):
    """The measured code did not work, so there is no figure. The message gives the reason."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run and its folder. A quick run measures less and for a shorter time, so its figures are rougher."""

    quick: bool
    folder: Path

    def pick(self, thorough: int, quick: int) -> int:
        """Return a number of items, runs or seconds that fits this run."""
        return quick if self.quick else thorough

    @contextlib.contextmanager
    def server(self) -> Iterator[Server]:
        """Start a durable PostgreSQL (fsync on) in an empty folder of this run, and stop it at the end."""
        server = Server(self.folder / "postgres", durable=True)
        try:
            with step("starting PostgreSQL"):
                server.start()
            yield server
        finally:
            server.stop("immediate")


@contextlib.contextmanager
def start_run(*, quick: bool) -> Iterator[Run]:
    """Start a run with its own folder, which is deleted at the end. Raises MeasurementFailed during another run."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise MeasurementFailed(
                "Another benchmark runs here already. Wait for it, because they would slow each other down."
            ) from error
        folder = FOLDER / "run"
        _clear(folder)
        folder.mkdir()
        try:
            yield Run(quick, folder)
        finally:
            _clear(folder)


@contextlib.contextmanager
def step(action: str) -> Iterator[None]:
    """Print the action and its duration to standard error."""
    print(f"  {action} …", end="", flush=True, file=sys.stderr)
    began = time.perf_counter()
    try:
        yield
    except BaseException:
        print(file=sys.stderr)
        raise
    print(f" {time.perf_counter() - began:.1f} s", flush=True, file=sys.stderr)


def log(text: str) -> None:
    """Print a line to standard error."""
    print(f"  {text}", flush=True, file=sys.stderr)


def environment(**variables: str) -> dict[str, str]:
    """Return the environment of a process that runs functions: this project's code, no settings of the user's shell."""
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
    """Delete the folder of an earlier run, and stop the server of a run that was killed."""
    if (folder / "postgres").exists():
        Server(folder / "postgres", durable=True).stop("immediate")
    shutil.rmtree(folder, ignore_errors=True)
