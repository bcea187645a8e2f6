"""`make up` and the commands beside it, in a copy of the project: from an empty folder to a clean stop."""

import re
import socket

import pytest

from local.postgres import Server
from tests.kit.project import Project

pytestmark = pytest.mark.slow


def test_project_starts_runs_its_commands_and_stops_cleanly(project: Project) -> None:
    with project.up():
        server = Server(project.folder / ".local" / "postgres", durable=True)
        assert server.pid is not None

        story = project.run("demo.story")
        assert (story.returncode, story.stderr) == (0, "")
        assert "David    1 place(s), confirmed" in story.stdout
        assert re.search(r"after the night +rank correlation with the truth 0\.9", story.stdout)
        assert "of 40 who click at random" in story.stdout

        loaded = project.run("demo.legacy", "--from", "demo/import")
        assert (loaded.returncode, loaded.stderr) == (0, "")
        assert "The counts add up" in loaded.stdout

        fired = project.run("local", "fire", "PromoteWaitlistSchedule")
        assert (fired.returncode, '"promote_waitlist"' in fired.stdout) == (0, True)

        token = project.run("demo.token", "--user", "ben")
        assert token.stdout.count(".") == 2

        # A refused command must not touch the running system.
        assert project.run("demo.up").returncode == 1
        assert project.run("demo.reset").returncode == 1
        assert project.is_healthy()
        assert server.pid is not None

    assert server.pid is None
    assert project.said.read_text().rstrip().endswith("Stopped.")


def test_import_needs_no_running_system(project: Project) -> None:
    first = project.run("demo.legacy", "--from", "demo/import")
    again = project.run("demo.legacy", "--from", "demo/import")

    assert (first.returncode, first.stderr) == (0, "")
    assert (again.returncode, again.stderr) == (0, "")
    assert Server(project.folder / ".local" / "postgres", durable=True).pid is None


def test_port_in_use_is_named_with_the_next_step(project: Project) -> None:
    with socket.create_server(("127.0.0.1", project.port)):
        refused = project.run("demo.up")

    assert refused.returncode == 1
    assert str(project.port) in refused.stdout + refused.stderr
    assert "PORT=" in refused.stdout + refused.stderr
    assert "Traceback" not in refused.stderr


def test_damaged_data_are_reported_with_the_next_step(project: Project) -> None:
    data = project.folder / ".local" / "postgres"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("16\n")  # and no other file

    refused = project.run("demo.up")
    assert refused.returncode == 1
    assert "make reset" in refused.stdout + refused.stderr
    assert "Traceback" not in refused.stderr

    assert project.run("demo.reset").returncode == 0
    assert not data.exists()
