"""The embedded PostgreSQL: it starts, survives crashes, and reports faults."""

import os
import signal
import socket
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from local import postgres
from local.postgres import DamagedData, DiskFull, PortTaken, Server, Unreachable


@pytest.fixture
def folder():
    """Create a folder that other test runs leave readable; pytest closes its own folders at the start of a run."""
    with tempfile.TemporaryDirectory(prefix="marquee-tests-") as name:
        yield Path(name)


@pytest.fixture
def durable(folder):
    """Create a server with fsync, in a folder of its own."""
    server = Server(folder / "postgres", durable=True)
    yield server
    server.stop("immediate")


def test_data_survive_a_crash_and_a_restart(durable):
    durable.start()
    with psycopg.connect(durable.url(), autocommit=True) as connection:
        connection.execute("create table kept as select 7 as seven")
    durable.stop("immediate")

    durable.start()

    with psycopg.connect(durable.url()) as connection:
        assert connection.execute("select seven from kept").fetchone() == (7,)


def test_server_starts_despite_the_stale_file_of_a_killed_one(durable):
    durable.start()
    os.kill(durable.pid, signal.SIGKILL)
    durable._process.wait()

    durable.start()

    with psycopg.connect(durable.url()) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_concurrent_starts_make_one_server(durable):
    rival = Server(durable.data, durable=True)
    try:
        with ThreadPoolExecutor() as pool:
            list(pool.map(Server.start, [durable, rival]))

        assert durable.port == rival.port
        assert durable.pid == rival.pid
    finally:
        rival.stop("immediate")  # the process is a child of the one that started it, which is either


def test_two_servers_run_side_by_side(durable, folder):
    other = Server(folder / "other", durable=False)
    durable.start()
    other.start()
    try:
        assert durable.pid != other.pid
        for server in (durable, other):
            with psycopg.connect(server.url()) as connection:
                assert connection.execute("show data_directory").fetchone() == (str(server.data),)
    finally:
        other.stop("immediate")


def test_process_of_another_server_is_not_taken_for_its_own(durable, folder):
    durable.start()
    other = Server(folder / "other", durable=False)
    other.data.mkdir()
    (other.data / "postmaster.pid").write_text((durable.data / "postmaster.pid").read_text())

    assert other.pid is None


def test_running_server_is_found_by_the_next_process(durable):
    durable.start()
    later = Server(durable.data, durable=True)

    later.start()
    later.stop()

    assert (later.port, durable.pid) == (durable.port, None)


def test_interrupted_initialization_is_repeated(durable):
    cut_short = durable.data.with_name(f".{durable.data.name}.new")
    cut_short.mkdir(parents=True)
    (cut_short / "PG_VERSION").write_text("16\n")

    durable.start()

    with psycopg.connect(durable.url()) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    assert not cut_short.exists()


def test_unreadable_folder_is_reported(durable, folder, monkeypatch):
    durable.start()
    durable.stop()
    monkeypatch.setattr(postgres, "_open_path", lambda *_: (folder / "postgres").chmod(0))

    with pytest.raises(Unreachable, match="a folder of your own"):
        durable.start()


def test_full_disk_is_reported(durable, monkeypatch, folder):
    durable.start()
    durable.stop()
    full = folder / "postgres-on-a-full-disk"
    full.write_text("#!/bin/sh\necho 'FATAL:  could not write lock file: No space left on device' >&2\nexit 1\n")
    full.chmod(0o755)
    real = postgres.binary
    monkeypatch.setattr(postgres, "binary", lambda name, *rest: full if name == "postgres" else real(name, *rest))
    monkeypatch.setattr(postgres, "_open_path", lambda *_: None)
    folder.chmod(0o711)

    with pytest.raises(DiskFull, match="Free some space"):
        durable.start()


def test_server_needs_a_password_and_listens_on_loopback_only(durable):
    durable.start()

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(durable.url(password="wrong"))
    with psycopg.connect(durable.url()) as connection:
        assert connection.execute("show listen_addresses").fetchone() == ("127.0.0.1",)
        assert connection.execute("show fsync").fetchone() == ("on",)
    assert (durable.data / "password").stat().st_mode & 0o077 == 0


def test_port_in_use_is_named(durable):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        durable.port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=f"Port {durable.port} is in use"):
            durable.start()


def test_folder_with_other_files_is_left_alone(durable):
    durable.data.mkdir(parents=True)
    (durable.data / "letter.txt").write_text("mine")

    with pytest.raises(DamagedData, match="make reset"):
        durable.start()

    assert (durable.data / "letter.txt").read_text() == "mine"


def test_damaged_data_are_reported_with_the_next_step(durable):
    durable.start()
    durable.stop()
    (durable.data / "global" / "pg_control").write_bytes(b"damaged")

    with pytest.raises(DamagedData, match="make reset"):
        durable.start()


def test_data_of_another_version_are_refused(durable):
    durable.start()
    durable.stop()
    (durable.data / "PG_VERSION").write_text("15\n")

    with pytest.raises(DamagedData, match="made by PostgreSQL 15"):
        durable.start()


@pytest.mark.parametrize("version", ["12", "new"])
def test_unknown_version_is_refused_with_the_known_ones(version, monkeypatch):
    monkeypatch.setenv("POSTGRES_VERSION", version)

    with pytest.raises(postgres.ServerError, match="16 or 18"):
        postgres.binary("postgres")


@pytest.mark.parametrize("version", ["16", "18"])
def test_version_is_chosen_by_the_environment(version, monkeypatch, folder):
    monkeypatch.setenv("POSTGRES_VERSION", version)
    server = Server(folder / "postgres", durable=False)
    server.start()
    try:
        with psycopg.connect(server.url()) as connection:
            assert connection.execute("show server_version").fetchone()[0].startswith(f"{version}.")
            connection.execute("create extension vector")
    finally:
        server.stop("immediate")
