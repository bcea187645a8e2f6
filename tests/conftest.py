"""Set the environment of every test, and load fixtures that several parts use."""

import gc
import json
import os
import secrets
import sys
import zoneinfo
from collections.abc import Iterator
from typing import Any

import pytest

pytest.register_assert_rewrite("tests.kit")
pytest_plugins = [
    "tests.kit.databases",
    "tests.kit.aws",
    "tests.kit.subscriber",
    "tests.kit.stripe_standin",
    "tests.kit.lives",
]

# The shell's settings must not lead the tests to a real database or a real account. Only tests/stripe calls Stripe's
# test mode, with a key that it finds under this name.
os.environ["CONTRACT_STRIPE_KEY"] = os.environ.get("STRIPE_API_KEY", "")
for _name in list(os.environ):
    if _name != "PGBOUNCER" and _name.startswith(("AWS_", "DATABASE_", "PG", "STRIPE_", "TOKEN_")):
        del os.environ[_name]
os.environ |= {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "POWERTOOLS_TRACE_DISABLED": "true",
    "POWERTOOLS_SERVICE_NAME": "test",
    "POWERTOOLS_METRICS_NAMESPACE": "Marquee",
    "WEBHOOK_KEYS": json.dumps({"current": "k1", "k1": secrets.token_hex(32)}),
    "PYTHONTZPATH": "",
}
zoneinfo.reset_tzpath(())  # as PYTHONTZPATH does in processes that tests start: zones of the pinned tzdata alone


def pytest_collection_finish() -> None:
    """Leave the collected tests out of garbage collections, which would go through all of them again and again."""
    gc.freeze()


@pytest.fixture
def sockets_off() -> Iterator[None]:
    """Disable the network, including loopback, during a unit test."""
    from pytest_socket import disable_socket, enable_socket

    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()


@pytest.fixture(autouse=True)
def _no_samples_of_other_tests() -> None:
    """Start each test with an empty batch, so that it writes no samples of other tests."""
    samples: Any = sys.modules.get("marquee.edge.request_samples")  # without an import, nothing is measured
    if samples:
        samples.requests = samples.Batch(samples.requests.write)
