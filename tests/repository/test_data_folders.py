"""Data folders of tests: in memory if there is room, and deleted afterwards."""

import os
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from tests.kit import data_folders

pytestmark = pytest.mark.usefixtures("sockets_off")

Usage = namedtuple("Usage", "free")


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use a temporary folder as the memory disk of a machine with room for one worker."""
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "1")
    monkeypatch.setattr(data_folders, "MEMORY", tmp_path)
    monkeypatch.setattr(data_folders.shutil, "disk_usage", lambda _: Usage(2_000_000_000))
    monkeypatch.setattr(data_folders, "_memory_left", lambda: 2_000_000_000)
    return tmp_path


def test_data_folder_is_in_memory_if_it_fits_and_is_deleted_afterwards(memory):
    with data_folders.data_folder() as folder:
        (folder / "file").write_text("data")
        assert folder.parent == memory

    assert list(memory.iterdir()) == []


def test_small_memory_disk_is_not_used(memory, monkeypatch):
    monkeypatch.setattr(data_folders.shutil, "disk_usage", lambda _: Usage(64 * 1024 * 1024))

    with data_folders.data_folder() as folder:
        assert folder.parent != memory


def test_room_is_required_for_every_worker(memory, monkeypatch):
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "2")

    with data_folders.data_folder() as folder:
        assert folder.parent != memory


def test_free_memory_respects_the_limit_of_the_container(memory, monkeypatch, tmp_path_factory):
    limits = tmp_path_factory.mktemp("limits")
    (limits / "memory.max").write_text("512000000\n")
    (limits / "memory.current").write_text("100000000\n")
    monkeypatch.undo()
    monkeypatch.setattr(data_folders, "LIMITS", limits)

    assert data_folders._memory_left() == 412_000_000


def test_folders_of_ended_processes_are_deleted_and_others_are_kept(memory):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left, used = (memory / f"{data_folders.PREFIX}{pid}-x" for pid in (ended.pid, os.getpid()))
    left.mkdir()
    used.mkdir()

    with data_folders.data_folder():
        assert not left.exists()
        assert used.exists()
