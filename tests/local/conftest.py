"""Fixtures of the local stack: one running stack for the tests that do not change it."""

from collections.abc import Iterator

import pytest

from tests.kit.local_stack import LocalStack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """Serve the sample application."""
    folder = tmp_path_factory.mktemp("stack")
    (folder / "openapi.json").write_text('{"openapi": "3.1.0", "servers": [{"url": "https://elsewhere.example"}]}')
    running = LocalStack(folder, "--docs", str(folder / "openapi.json"), "--retry-pause", "0.2").start()
    yield running
    running.stop()
