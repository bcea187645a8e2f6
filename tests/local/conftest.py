"""One running stack for the tests that change nothing about it."""

from collections.abc import Iterator

import pytest

from tests.local.running import Running


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The sample, served."""
    running = Running(tmp_path_factory.mktemp("stack"), "--retry-pause", "0.2").start()
    yield running
    running.stop()
