"""Unit tests reach for nothing: sockets are off."""

import pytest
from pytest_socket import disable_socket, enable_socket

from marquee.edge import request_samples


@pytest.fixture(autouse=True)
def no_sockets():
    """No network, not even loopback, for the length of a unit test."""
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()


@pytest.fixture(autouse=True)
def _no_samples_of_other_tests() -> None:
    """Each test begins with an empty batch, so that none writes what others measured."""
    request_samples.requests = request_samples.Batch(request_samples.requests.write)
