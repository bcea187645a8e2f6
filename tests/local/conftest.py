"""One running stack for the tests that change nothing about it."""

from collections.abc import Iterator

import pytest

from tests.kit.local_stack import LocalStack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """The sample, served."""
    folder = tmp_path_factory.mktemp("stack")
    (folder / "openapi.json").write_text('{"openapi": "3.1.0", "servers": [{"url": "https://elsewhere.example"}]}')
    running = LocalStack(folder, "--docs", str(folder / "openapi.json"), "--retry-pause", "0.2").start()
    yield running
    running.stop()
