"""The services that functions call besides the database, each in its own process: Stripe's stand-in and a queue."""

import contextlib
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.runs import ROOT, MeasurementFailed, environment, step
from local.instances import CHILD

STRIPE_KEY = "sk_test_of_the_benchmark"
END_SECONDS_MAX = 10


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue for Stripe events, at this address."""

    endpoint: str

    @property
    def variables(self) -> dict[str, str]:
        """The environment that makes functions use this queue."""
        return {
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.endpoint,
            "STRIPE_EVENTS_QUEUE_URL": f"{self.endpoint}/123456789012/stripe-events",
        }

    def messages(self) -> int:
        """Return how many messages the queue received."""
        with urllib.request.urlopen(self.endpoint, timeout=10) as answer:
            return int(json.load(answer)["messages"])


@contextlib.contextmanager
def stripe(folder: Path) -> Iterator[str]:
    """Start the stand-in with its state in this folder and without webhooks, and yield its address."""
    with _launched("local.stripe", "--port", "0", "--folder", str(folder)) as line:
        yield line.split()[-1]


@contextlib.contextmanager
def queue() -> Iterator[Queue]:
    """Start a queue that uses almost no processor time."""
    with _launched("bench.money.queue_server") as line:
        yield Queue(f"http://127.0.0.1:{line.strip()}")


@contextlib.contextmanager
def _launched(module: str, *arguments: str) -> Iterator[str]:
    """Start a server that ends with this process in any case, and yield the line that it prints when it is ready."""
    with subprocess.Popen(
        [sys.executable, "-P", str(CHILD), module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**environment(), "PYTHONPATH": str(ROOT)},
        text=True,
        start_new_session=True,
    ) as process:
        try:
            with step(f"starting {module}"):
                line = process.stdout.readline() if process.stdout else ""
            if not line.strip():
                raise MeasurementFailed(f"{module} did not start.")
            yield line
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(END_SECONDS_MAX)
            process.kill()
