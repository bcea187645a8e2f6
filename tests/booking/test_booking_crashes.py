"""Workers and the server itself are killed under load: nothing acknowledged is lost, nothing is doubled."""

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import dict_row

from local.postgres import Server
from marquee.core import migrations
from tests.kit import stages
from tests.kit.databases import SQL

CAPACITY = 60
BUYERS = 4


@pytest.fixture
def durable(tmp_path):
    """A server with fsync and a migrated database, as real data have it."""
    server = Server(tmp_path / "postgres", durable=True)
    server.start()
    with psycopg.connect(server.url(), autocommit=True) as connection:
        migrations.migrate(connection, SQL)
    yield server
    server.stop("immediate")


def connected(server: Server) -> psycopg.Connection:
    return psycopg.connect(server.url(), autocommit=True, row_factory=dict_row)


def start(server, event_id, file, customers) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.kit.booking_clients", server.url(), str(event_id), str(file)]
    return subprocess.Popen([*command, *map(str, customers)])


def acknowledged(files: list[Path]) -> dict[str, str]:
    lines = [json.loads(line) for file in files if file.exists() for line in file.read_text().splitlines()]
    assert len({line["customer"] for line in lines}) == len(lines)
    return {line["customer"]: line["booking"] for line in lines if line["booking"] is not None}


def check(db, event_id, files) -> None:
    """Every acknowledged booking is there; nobody has two; nothing is oversold; counters equal rows."""
    rows = db.execute(
        "select id::text, customer_id::text from events.bookings where event_id = %s", [event_id]
    ).fetchall()
    there = {row["customer_id"]: row["id"] for row in rows}
    told = acknowledged(files)
    assert len(there) == len(rows) <= CAPACITY
    assert {customer: there.get(customer) for customer in told} == told
    assert db.execute(stages.DRIFT).fetchall() == []
    assert db.execute("select count(*) as n from public.outbox").fetchone()["n"] == len(rows)
    assert db.execute("select count(*) as n from ops.idempotency_keys").fetchone()["n"] == len(rows)


def crash_under_load(server, tmp_path, times):
    """Buyers book while the server crashes so many times, each after some have been told; the event and their files."""
    with connected(server) as db:
        stage = stages.create(db)
        event_id, customers = stage.event(capacity=CAPACITY), stage.customers(BUYERS * 25)
    files = [tmp_path / f"told-{number}" for number in range(BUYERS)]
    buyers = [start(server, event_id, file, customers[n::BUYERS]) for n, file in enumerate(files)]

    crashes = 0
    while any(buyer.poll() is None for buyer in buyers) and crashes < times:
        before = len(acknowledged(files))
        deadline = time.monotonic() + 20
        while len(acknowledged(files)) < before + 8 and time.monotonic() < deadline:
            if all(buyer.poll() is not None for buyer in buyers):
                break
            time.sleep(0.005)
        server.stop("immediate")
        server.start()
        crashes += 1
    for buyer in buyers:
        assert buyer.wait(60) == 0
    assert crashes >= min(times, 2)
    return event_id, files


def test_postgres_crashing_under_load_loses_nothing_acknowledged_and_doubles_nothing(durable, tmp_path):
    event_id, files = crash_under_load(durable, tmp_path, times=3)

    with connected(durable) as db:
        check(db, event_id, files)
        assert len(acknowledged(files)) == CAPACITY


def test_the_crash_catches_a_server_that_acknowledges_what_is_not_on_disk_yet(durable, tmp_path):
    """The wrong example: what finds no fault in ours must find its fault."""
    with connected(durable) as db:
        db.execute("alter system set synchronous_commit = off")
        db.execute("alter system set wal_writer_delay = '10s'")
        db.execute("select pg_reload_conf()")
    event_id, files = crash_under_load(durable, tmp_path, times=1)

    with connected(durable) as db:
        booked = db.execute("select id::text from events.bookings where event_id = %s", [event_id]).fetchall()
        assert set(acknowledged(files).values()) - {row["id"] for row in booked} != set()
        with pytest.raises(AssertionError):
            check(db, event_id, files)


def test_buyers_killed_anywhere_leave_nothing_half_done(durable, tmp_path):
    dice = random.Random(3)
    with connected(durable) as db:
        stage = stages.create(db)
        event_id, customers = stage.event(capacity=CAPACITY), stage.customers(80)
    files = [tmp_path / f"told-{number}" for number in range(8)]

    for number, file in enumerate(files):
        buyer = start(durable, event_id, file, customers[number * 10 : number * 10 + 10])
        deadline = time.monotonic() + 20
        wanted = dice.randint(0, 6)
        while buyer.poll() is None and len(acknowledged([file])) < wanted and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(dice.random() * 0.01)  # anywhere within a booking
        buyer.send_signal(signal.SIGKILL)
        buyer.wait(10)

    # The same customers come back with the same keys, and get what they had or what is left.
    again = [tmp_path / f"again-{number}" for number in range(BUYERS)]
    buyers = [start(durable, event_id, file, customers[n::BUYERS]) for n, file in enumerate(again)]
    for buyer in buyers:
        assert buyer.wait(60) == 0
    with connected(durable) as db:
        check(db, event_id, again)
        told_before = {customer: booking for file in files for customer, booking in acknowledged([file]).items()}
        assert told_before.items() <= acknowledged(again).items()
