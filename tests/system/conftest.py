"""A copy of the project for the tests that run its commands."""

from pathlib import Path

import pytest

from tests.kit.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A copy without any data."""
    return Project(tmp_path)
