"""Test that killing clients and the database under load loses and duplicates no acknowledged booking."""

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
from tests.kit import stages

CAPACITY = 60
BUYERS = 4


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
    """Check that acknowledged bookings exist once, that nothing is oversold, and that counters equal rows."""
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
    """Stop the server `times` times while clients book. Return the event and the files of acknowledged bookings."""
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


def test_database_crash_loses_and_duplicates_no_acknowledged_booking(durable, tmp_path):
    event_id, files = crash_under_load(durable, tmp_path, times=3)

    with connected(durable) as db:
        check(db, event_id, files)
        assert len(acknowledged(files)) == CAPACITY


def test_crash_check_detects_a_server_that_acknowledges_before_writing(durable, tmp_path):
    """Run the check against a server with asynchronous commits, which loses acknowledged bookings."""
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


def test_killed_client_leaves_no_partial_booking(durable, tmp_path):
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
        time.sleep(dice.random() * 0.01)  # at a random moment of a booking
        buyer.send_signal(signal.SIGKILL)
        buyer.wait(10)

    # The same customers retry with the same keys. They get their first booking or one of the remaining seats.
    again = [tmp_path / f"again-{number}" for number in range(BUYERS)]
    buyers = [start(durable, event_id, file, customers[n::BUYERS]) for n, file in enumerate(again)]
    for buyer in buyers:
        assert buyer.wait(60) == 0
    with connected(durable) as db:
        check(db, event_id, again)
        told_before = {customer: booking for file in files for customer, booking in acknowledged([file]).items()}
        assert told_before.items() <= acknowledged(again).items()
