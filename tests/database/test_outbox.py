"""The outbox: relayed in order per key, at least once, whatever dies and whatever is poisoned."""

import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from marquee.core import database
from marquee.messaging import relay
from marquee.messaging.happenings import Bundle, Happening

NOW = datetime(2030, 5, 1, 12, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]


def say(db, *keys, topic="booking.confirmed"):
    """Write a message for each key, in order; their ids."""
    return [
        row["id"]
        for key in keys
        for row in db.execute(
            "insert into public.outbox (topic, key, payload) values (%s, %s, '{}') returning id", [topic, key]
        ).fetchall()
    ]


def claim(db, most=500, after=0, at=NOW):
    return [
        row["id"]
        for row in db.execute(
            "select c.id from ops.claim_outbox(most => %s, lease_seconds => 60, after => %s, at => %s) as c",
            [most, after, at],
        )
    ]


def finish(db, ids):
    return db.execute("select ops.finish_outbox(ids => %s) as n", [ids]).fetchone()["n"]


def fail(db, ids, *, at=NOW, permanent=False):
    row = db.execute(
        "select ops.fail_outbox(ids => %s, error => 'no', permanent => %s, at => %s) as n", [ids, permanent, at]
    ).fetchone()
    return row["n"]


def unfinished(db):
    return db.execute("select count(*) as n from public.outbox where relayed_at is null").fetchone()["n"]


class Listener:
    """Takes what is sent, except bundles with what it is told to refuse."""

    def __init__(self, refused: Sequence[int] = ()) -> None:
        self.refused = set(refused)
        self.heard: list[Happening] = []
        self.calls: list[list[int]] = []

    def __call__(self, bundles: Sequence[Bundle]) -> None:
        self.calls.append([len(bundle.happenings) for bundle in bundles])
        refused = [bundle for bundle in bundles if self.refused & {each.id for each in bundle.happenings}]
        self.heard += [each for bundle in bundles if bundle not in refused for each in bundle.happenings]
        if refused:
            raise relay.NotTaken(refused, "InternalError")

    @property
    def ids(self) -> list[int]:
        return [each.id for each in self.heard]


def run(listener, seconds=60.0, most=500):
    return relay.relay(listener, lambda: seconds, most=most)


def test_messages_are_claimed_in_the_order_of_their_ids(db):
    ids = say(db, "a", "b", "a", "c", "b")

    assert claim(db, most=3) == ids[:3]
    assert claim(db) == [ids[3]]  # the other one of b waits for the first
    finish(db, ids[:3])
    assert claim(db) == [ids[4]]


def test_a_claimed_message_holds_back_its_key_and_no_other(db):
    first, second, other = say(db, "a", "a", "b")
    assert claim(db, most=1) == [first]

    assert claim(db) == [other]
    finish(db, [first])
    assert claim(db) == [second]


def test_a_lease_that_ran_out_gives_its_messages_to_the_next(db):
    ids = say(db, "a", "a", "b")
    assert claim(db) == ids

    assert claim(db, at=NOW + timedelta(seconds=59)) == []
    assert claim(db, at=NOW + timedelta(seconds=60)) == ids


def test_a_failed_message_is_tried_again_ever_later_and_parked_after_five_attempts(db):
    (poisoned,) = say(db, "a")
    at, pauses = NOW, []
    for _attempt in range(4):
        assert claim(db, at=at) == [poisoned]
        assert fail(db, [poisoned], at=at) == 0
        available_at = db.execute("select available_at from public.outbox").fetchone()["available_at"]
        assert claim(db, at=available_at - timedelta(milliseconds=1)) == []
        pauses.append((available_at - at).total_seconds())
        at = available_at

    assert pauses == [10, 30, 90, 270]
    assert claim(db, at=at) == [poisoned]
    assert fail(db, [poisoned], at=at) == 1
    row = db.execute("select parked_at, attempts, last_error, relayed_at from public.outbox").fetchone()
    assert row == {"parked_at": at, "attempts": 5, "last_error": "no", "relayed_at": None}
    assert claim(db, at=at + timedelta(days=1)) == []


def test_a_failed_message_holds_back_its_key_until_it_is_parked(db):
    first, second, other = say(db, "a", "a", "b")
    claim(db)
    fail(db, [first])
    db.execute("select ops.release_outbox(ids => %s)", [[second, other]])

    assert claim(db) == [other]
    fail(db, [first], permanent=True)
    assert claim(db) == [second]


def test_a_hundred_poisoned_rows_block_nothing_that_comes_after(db):
    poisoned = say(db, *(f"poisoned {number}" for number in range(100)))
    good = say(db, *(f"good {number}" for number in range(50)))
    listener = Listener(refused=poisoned)

    relayed = run(listener, most=100)

    assert listener.ids == good
    assert (relayed.relayed, relayed.failed, relayed.parked) == (50, 100, 0)
    assert claim(db, at=datetime.now(UTC)) == []


def test_poisoned_rows_in_front_that_wait_for_their_next_attempt_block_nothing(db):
    poisoned = say(db, *(f"poisoned {number}" for number in range(3000)))
    fail(db, poisoned)
    good = say(db, "good", "good")

    assert claim(db, most=10) == good


def test_unknown_types_are_parked_and_never_marked_done(db):
    unknown, known, same_key = say(db, "a", topic="booking.teleported") + say(db, "b", "a")
    listener = Listener()

    relayed = run(listener)

    assert listener.ids == [known, same_key]
    assert (relayed.relayed, relayed.parked) == (2, 1)
    row = db.execute("select relayed_at, parked_at, last_error from public.outbox where id = %s", [unknown]).fetchone()
    assert row["relayed_at"] is None
    assert row["parked_at"] is not None
    assert "booking.teleported" in row["last_error"]


def test_a_message_that_no_queue_could_carry_is_parked_at_once(db):
    (too_long,) = (
        db.execute(
            "insert into public.outbox (topic, key, payload)"
            " values ('booking.confirmed', 'a', jsonb_build_object('x', repeat('é', 200000))) returning id"
        )
        .fetchone()
        .values()
    )
    (good,) = say(db, "a")
    listener = Listener()

    assert run(listener).parked == 1
    assert listener.ids == [good]
    assert too_long not in listener.ids


def test_parked_messages_go_out_once_they_are_let_go_again(db):
    (parked,) = say(db, "a", topic="booking.teleported")
    run(Listener())
    db.execute("update public.outbox set topic = 'booking.confirmed'")

    assert db.execute("select ops.unpark_outbox() as n").fetchone()["n"] == 1
    listener = Listener()
    run(listener)
    assert listener.ids == [parked]


def test_what_follows_a_message_that_was_not_taken_stays_behind_it(db):
    ids = say(db, *["a", "b"] * 40)
    listener = Listener(refused=ids[:1])

    run(listener)

    assert [each.id for each in listener.heard if each.key == "a"] == []
    assert unfinished(db) >= 40

    listener.refused.clear()
    for _run in range(2):
        db.execute("update public.outbox set available_at = '-infinity'")
        run(listener)
    for key in "ab":
        told = [each.id for each in listener.heard if each.key == key]
        assert told == sorted(told)
        assert len(told) == 40
    assert unfinished(db) == 0


def test_rows_travel_in_bundles_and_each_key_stays_in_one_of_a_call(db):
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
        keys = [key for bundle in bundles for key in {each.key for each in bundle.happenings}]
        assert len(keys) == len(set(keys))
    for key in {each.key for each in listener.heard}:
        told = [each.id for each in listener.heard if each.key == key]
        assert told == sorted(told)
    assert len(listener.ids) == 500


def test_a_queue_that_is_down_costs_no_message_an_attempt(db):
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


def test_throughput_is_a_thousand_rows_a_second_and_more(db):
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


def test_one_hot_key_is_no_slower_than_many(db):
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


def test_a_snapshot_held_by_another_session_does_not_stop_the_relay(db, connect):
    say(db, "a")
    holder = connect(autocommit=False)
    holder.execute("set transaction isolation level repeatable read")
    holder.execute("select count(*) from public.outbox").fetchone()
    db.execute(
        "insert into public.outbox (topic, key, payload)"
        " select 'booking.confirmed', 'k' || number % 50, '{}' from generate_series(1, 5000) as number"
    )
    listener = Listener()

    began = time.perf_counter()
    run(listener, most=100)

    assert len(listener.heard) == 5001
    assert unfinished(db) == 0
    assert time.perf_counter() - began < 10


def test_a_message_committed_late_goes_out_although_its_id_is_lower(db, connect):
    slow = connect(autocommit=False)
    (late,) = say(slow, "a")
    (early,) = say(db, "a")
    listener = Listener()
    run(listener)
    assert listener.ids == [early]

    slow.commit()
    run(listener)
    assert listener.ids == [early, late]


def test_what_lies_before_the_start_of_a_claim_still_holds_back_its_key(db):
    first, other, second = say(db, "a", "b", "a")
    fail(db, [first])

    assert claim(db, after=other) == []
    assert claim(db, after=other, at=NOW + timedelta(seconds=10)) == []
    assert claim(db, at=NOW + timedelta(seconds=10)) == [first, other, second]


def test_a_message_that_somebody_has_locked_makes_nobody_wait(db, connect):
    locked, behind, other = say(db, "a", "a", "b")
    somebody = connect(autocommit=False)
    somebody.execute("select from public.outbox where id = %s for update", [locked])
    db.execute("set statement_timeout = '2s'")

    assert claim(db) == [other]
    somebody.rollback()
    assert claim(db) == [locked, behind]


def test_relays_side_by_side_send_each_message_once_and_each_key_in_order(db):
    db.execute(
        "insert into public.outbox (topic, key, payload)"
        " select 'booking.confirmed', 'k' || number % 40, '{}' from generate_series(1, 4000) as number"
    )
    heard: list[tuple[float, Happening]] = []

    def send(bundles):
        heard.extend((time.perf_counter(), each) for bundle in bundles for each in bundle.happenings)

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
        file.writelines(f"{each.id}\\n" for bundle in bundles for each in bundle.happenings)
    if calls_left == 0 and moment == "after sending":
        die()
    calls_left -= 1

settle = relay._settle
def settle_and_die(batch):
    if moment == "before finishing":
        die()
    parked = settle(batch)
    if moment == "after finishing":
        die()
    return parked
relay._settle = settle_and_die

relay.relay(send, lambda: 60.0, most=10)
"""


@pytest.mark.parametrize("moment", ["before sending", "after sending", "before finishing", "after finishing"])
def test_a_relay_killed_at_any_point_loses_nothing(db, tmp_path, moment):
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


def test_a_relay_without_time_says_that_there_is_more(db):
    say(db, *(f"k{number}" for number in range(30)))

    relayed = run(Listener(), seconds=1.0, most=10)

    assert (relayed.relayed, relayed.more) == (10, True)


def test_finishing_twice_changes_nothing(db):
    ids = say(db, "a")
    claim(db)

    assert finish(db, ids) == 1
    assert finish(db, ids) == 0


def test_only_the_service_may_relay(db):
    caller = database.Caller(None, "anon")
    for statement in ("select * from ops.claim_outbox()", "select ops.finish_outbox(ids => '{1}')"):
        with pytest.raises(Exception, match="unauthenticated"), database.single(caller) as session:
            session.all(statement)


def test_a_message_says_which_request_caused_it(db):
    with db.transaction():
        db.execute("""select set_config('request.jwt.claims', '{"correlation_id": "request-1"}', true)""")
        say(db, "a")
    say(db, "b")
    listener = Listener()

    run(listener)

    assert [each.correlation_id for each in listener.heard] == ["request-1", None]
