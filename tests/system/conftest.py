"""Fixtures for the tests that run the project's commands."""

from pathlib import Path

import pytest

from tests.kit.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Copy the project without any data."""
    return Project(tmp_path)
