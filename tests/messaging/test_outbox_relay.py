"""marquee.messaging.relay on the outbox: bundles, speed, concurrent relays, and crashes at any point."""

import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from marquee.core import database
from marquee.messaging.topics import Bundle, OutboxMessage
from tests.kit.outbox import Listener, run, say, unfinished

ROOT = Path(__file__).resolve().parents[2]


def test_relay_sends_bundles_and_keeps_each_key_in_one_bundle_per_call(db):
    say(db, *(f"k{number % 90}" for number in range(450)), *["hot"] * 50)
    listener = Listener()
    seen: list[Sequence[Bundle]] = []

    def send(bundles):
        seen.append(bundles)
        listener(bundles)

    run(send)

    assert len(listener.calls) <= 6
    assert all(len(call) <= 10 and max(call) <= 25 for call in listener.calls)
    for bundles in seen:
        keys = [key for bundle in bundles for key in {each.key for each in bundle.messages}]
        assert len(keys) == len(set(keys))
    for key in {each.key for each in listener.heard}:
        told = [each.id for each in listener.heard if each.key == key]
        assert told == sorted(told)
    assert len(listener.ids) == 500


def test_queue_outage_counts_no_attempt(db):
    ids = say(db, "a", "b", "c")

    def down(bundles):
        raise ConnectionError("no queue")

    with pytest.raises(ConnectionError):
        run(down)

    rows = db.execute("select attempts, parked_at, lease_until from public.outbox").fetchall()
    assert rows == [{"attempts": 0, "parked_at": None, "lease_until": None}] * 3
    listener = Listener()
    run(listener)
    assert listener.ids == ids


def test_relay_sends_at_least_a_thousand_rows_a_second(db):
    db.execute(
        "insert into public.outbox (topic, key, payload)"
        " select 'booking.confirmed', 'k' || number % 700, '{}' from generate_series(1, 6000) as number"
    )
    listener = Listener()

    began = time.perf_counter()
    relayed = run(listener)
    seconds = time.perf_counter() - began

    assert relayed.relayed == 6000
    assert seconds < 6
    assert relayed.more is False


def test_relay_sends_one_hot_key_at_a_thousand_rows_a_second(db):
    db.execute(
        "insert into public.outbox (topic, key, payload)"
        " select 'booking.confirmed', 'hot', '{}' from generate_series(1, 3000) as number"
    )
    listener = Listener()

    began = time.perf_counter()
    run(listener)

    assert listener.ids == sorted(listener.ids)
    assert len(listener.ids) == 3000
    assert time.perf_counter() - began < 3


def test_concurrent_relays_send_each_message_once_and_in_key_order(db):
    db.execute(
        "insert into public.outbox (topic, key, payload)"
        " select 'booking.confirmed', 'k' || number % 40, '{}' from generate_series(1, 4000) as number"
    )
    heard: list[tuple[float, OutboxMessage]] = []

    def send(bundles):
        heard.extend((time.perf_counter(), each) for bundle in bundles for each in bundle.messages)

    def relay_until_done(_number):
        try:
            while unfinished_elsewhere():
                run(send, most=150)
        finally:
            database.disconnect()

    def unfinished_elsewhere():
        with database.single(database.service()) as session:
            return session.value("select count(*) from public.outbox where relayed_at is null")

    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(relay_until_done, range(4)))

    assert len(heard) == len({each.id for _, each in heard}) == 4000
    by_key = defaultdict(list)
    for _, each in heard:
        by_key[each.key].append(each.id)
    assert all(ids == sorted(ids) for ids in by_key.values())


KILLED = """
import os, signal, sys
from marquee.core import database
from marquee.messaging import relay

calls_left, path, moment = int(sys.argv[1]), sys.argv[2], sys.argv[3]

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def send(bundles):
    global calls_left
    if calls_left == 0 and moment == "before sending":
        die()
    with open(path, "a") as file:
        file.writelines(f"{each.id}\\n" for bundle in bundles for each in bundle.messages)
    if calls_left == 0 and moment == "after sending":
        die()
    calls_left -= 1

settle = relay._record
def settle_and_die(batch):
    if moment == "before finishing":
        die()
    parked = settle(batch)
    if moment == "after finishing":
        die()
    return parked
relay._record = settle_and_die

relay.relay(send, lambda: 60.0, most=10)
"""


@pytest.mark.parametrize("moment", ["before sending", "after sending", "before finishing", "after finishing"])
def test_relay_killed_at_any_point_loses_no_message(db, tmp_path, moment):
    ids = say(db, *(f"k{number % 7}" for number in range(100)))
    sent = tmp_path / "sent"

    killed = subprocess.run(
        [sys.executable, "-c", KILLED, "2", str(sent), moment],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT / "layers/domain"), os.environ.get("PYTHONPATH", "")]),
        },
        check=False,
    )
    assert killed.returncode == -9

    listener = Listener()
    run(listener)
    db.execute("update public.outbox set lease_until = lease_until - interval '1 minute' where lease_until is not null")
    run(listener)

    before = [int(line) for line in sent.read_text().split()] if sent.exists() else []
    assert sorted({*before, *listener.ids}) == ids
    assert unfinished(db) == 0
    for key in range(7):
        told_after = [each.id for each in listener.heard if each.key == f"k{key}"]
        assert told_after == sorted(told_after)


def test_relay_that_runs_out_of_time_reports_more(db):
    say(db, *(f"k{number}" for number in range(30)))

    relayed = run(Listener(), seconds=1.0, most=10)

    assert (relayed.relayed, relayed.more) == (10, True)


def test_message_carries_the_correlation_id_of_its_request(db):
    with db.transaction():
        db.execute("""select set_config('request.jwt.claims', '{"correlation_id": "request-1"}', true)""")
        say(db, "a")
    say(db, "b")
    listener = Listener()

    run(listener)

    assert [each.correlation_id for each in listener.heard] == ["request-1", None]
