"""What functions call besides the database, each in a process of its own: Stripe's stand-in, and queues by moto."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3

from bench.running import ROOT, Broken, environment, step
from local.instances import CHILD

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

STRIPE_KEY = "sk_test_of_the_benchmark"
REGION = "eu-central-1"
AWS = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_DEFAULT_REGION": REGION,
}
END_SECONDS_MAX = 10


@contextlib.contextmanager
def stripe(folder: Path) -> Iterator[str]:
    """The stand-in, which keeps its state in this folder and sends no webhooks; its address."""
    with _launched("local.stripe", "--port", "0", "--folder", str(folder)) as line:
        yield line.split()[-1]


@contextlib.contextmanager
def queue() -> Iterator[dict[str, str]]:
    """A queue for events of Stripe, at the server that the local stack has for SQS; what leads there."""
    with _launched("local.aws_server") as line:
        endpoint = f"http://127.0.0.1:{line.strip()}"
        url = sqs(endpoint).create_queue(QueueName="stripe-events")["QueueUrl"]
        yield {**AWS, "AWS_ENDPOINT_URL": endpoint, "STRIPE_EVENTS_QUEUE_URL": url}


def sqs(endpoint: str) -> "SQSClient":
    """A client of the queues at this address."""
    key = AWS["AWS_ACCESS_KEY_ID"]
    return boto3.Session(key, key, region_name=REGION).client("sqs", endpoint_url=endpoint)


@contextlib.contextmanager
def _launched(module: str, *arguments: str) -> Iterator[str]:
    """A server that ends with us, whatever ends us; the line that it says when it is ready."""
    with subprocess.Popen(
        [sys.executable, "-P", str(CHILD), module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**environment(), "PYTHONPATH": os.pathsep.join([str(ROOT)])},
        text=True,
        start_new_session=True,
    ) as process:
        try:
            with step(f"starting {module}"):
                line = process.stdout.readline() if process.stdout else ""
            if not line.strip():
                raise Broken(f"{module} did not start.")
            yield line
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(END_SECONDS_MAX)
            process.kill()
