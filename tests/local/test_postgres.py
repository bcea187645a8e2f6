"""The embedded PostgreSQL: it starts, survives, and says what is wrong."""

import os
import signal
import socket

import psycopg
import pytest

from local import postgres
from local.postgres import DamagedData, PortTaken, Server


@pytest.fixture
def durable(tmp_path):
    """A server with fsync, in a folder of its own."""
    server = Server(tmp_path / "postgres", durable=True)
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


def test_a_server_that_was_killed_leaves_a_stale_file_that_does_no_harm(durable):
    durable.start()
    os.kill(durable.pid, signal.SIGKILL)
    durable._process.wait()

    durable.start()

    with psycopg.connect(durable.url()) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_it_needs_a_password_and_listens_on_loopback_only(durable):
    durable.start()

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(durable.url(password="wrong"))
    with psycopg.connect(durable.url()) as connection:
        assert connection.execute("show listen_addresses").fetchone() == ("127.0.0.1",)
        assert connection.execute("show fsync").fetchone() == ("on",)
    assert (durable.data / "password").stat().st_mode & 0o077 == 0


def test_a_port_in_use_is_named(durable):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        durable.port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=f"Port {durable.port} is in use"):
            durable.start()


def test_a_folder_of_something_else_is_left_alone(durable):
    durable.data.mkdir(parents=True)
    (durable.data / "letter.txt").write_text("mine")

    with pytest.raises(DamagedData, match="make reset"):
        durable.start()

    assert (durable.data / "letter.txt").read_text() == "mine"


def test_damaged_data_say_how_to_start_over(durable):
    durable.start()
    durable.stop()
    (durable.data / "global" / "pg_control").write_bytes(b"damaged")

    with pytest.raises(DamagedData, match="make reset"):
        durable.start()


def test_data_of_another_version_are_not_touched(durable):
    durable.start()
    durable.stop()
    (durable.data / "PG_VERSION").write_text("15\n")

    with pytest.raises(DamagedData, match="made by PostgreSQL 15"):
        durable.start()


def test_an_unknown_version_is_refused_by_name():
    with pytest.raises(postgres.ServerError, match="16 or 18"):
        postgres.binary("postgres", 12)
