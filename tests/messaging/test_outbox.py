"""The outbox: messages are claimed in order per key, retried and parked. Failing messages do not block other keys."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from marquee.core import database
from tests.kit.outbox import Listener, run, say, unfinished

NOW = datetime(2030, 5, 1, 12, tzinfo=UTC)


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


def test_messages_are_claimed_in_the_order_of_their_ids(db):
    ids = say(db, "a", "b", "a", "c", "b")

    assert claim(db, most=3) == ids[:3]
    assert claim(db) == [ids[3]]  # the second message of b waits for the first
    finish(db, ids[:3])
    assert claim(db) == [ids[4]]


def test_claimed_message_blocks_only_its_own_key(db):
    first, second, other = say(db, "a", "a", "b")
    assert claim(db, most=1) == [first]

    assert claim(db) == [other]
    finish(db, [first])
    assert claim(db) == [second]


def test_messages_are_claimed_again_after_their_lease_expires(db):
    ids = say(db, "a", "a", "b")
    assert claim(db) == ids

    assert claim(db, at=NOW + timedelta(seconds=59)) == []
    assert claim(db, at=NOW + timedelta(seconds=60)) == ids


def test_failed_message_is_retried_with_backoff_and_parked_after_five_attempts(db):
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


def test_failed_message_blocks_its_key_until_it_is_parked(db):
    first, second, other = say(db, "a", "a", "b")
    claim(db)
    fail(db, [first])
    db.execute("select ops.release_outbox(ids => %s)", [[second, other]])

    assert claim(db) == [other]
    fail(db, [first], permanent=True)
    assert claim(db) == [second]


def test_hundred_failing_messages_do_not_block_later_messages(db):
    poisoned = say(db, *(f"poisoned {number}" for number in range(100)))
    good = say(db, *(f"good {number}" for number in range(50)))
    listener = Listener(refused=poisoned)

    relayed = run(listener, most=100)

    assert listener.ids == good
    assert (relayed.relayed, relayed.failed, relayed.parked) == (50, 100, 0)
    assert claim(db, at=datetime.now(UTC)) == []


def test_waiting_failed_messages_in_front_do_not_block_a_claim(db):
    poisoned = say(db, *(f"poisoned {number}" for number in range(3000)))
    fail(db, poisoned)
    good = say(db, "good", "good")

    assert claim(db, most=10) == good


def test_message_of_an_unknown_topic_is_parked_and_not_marked_relayed(db):
    unknown, known, same_key = say(db, "a", topic="booking.teleported") + say(db, "b", "a")
    listener = Listener()

    relayed = run(listener)

    assert listener.ids == [known, same_key]
    assert (relayed.relayed, relayed.parked) == (2, 1)
    row = db.execute("select relayed_at, parked_at, last_error from public.outbox where id = %s", [unknown]).fetchone()
    assert row["relayed_at"] is None
    assert row["parked_at"] is not None
    assert "booking.teleported" in row["last_error"]


def test_message_too_long_for_a_queue_is_parked_at_once(db):
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


def test_unparked_message_is_relayed(db):
    (parked,) = say(db, "a", topic="booking.teleported")
    run(Listener())
    db.execute("update public.outbox set topic = 'booking.confirmed'")

    assert db.execute("select ops.unpark_outbox() as n").fetchone()["n"] == 1
    listener = Listener()
    run(listener)
    assert listener.ids == [parked]


def test_messages_after_a_refused_one_keep_the_order_of_their_key(db):
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


def test_snapshot_of_another_session_does_not_stop_the_relay(db, connect):
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


def test_message_committed_late_is_relayed_although_its_id_is_lower(db, connect):
    slow = connect(autocommit=False)
    (late,) = say(slow, "a")
    (early,) = say(db, "a")
    listener = Listener()
    run(listener)
    assert listener.ids == [early]

    slow.commit()
    run(listener)
    assert listener.ids == [early, late]


def test_failed_message_before_the_claims_start_still_blocks_its_key(db):
    first, other, second = say(db, "a", "b", "a")
    fail(db, [first])

    assert claim(db, after=other) == []
    assert claim(db, after=other, at=NOW + timedelta(seconds=10)) == []
    assert claim(db, at=NOW + timedelta(seconds=10)) == [first, other, second]


def test_claim_skips_a_locked_message_without_waiting(db, connect):
    locked, behind, other = say(db, "a", "a", "b")
    somebody = connect(autocommit=False)
    somebody.execute("select from public.outbox where id = %s for update", [locked])
    db.execute("set statement_timeout = '2s'")

    assert claim(db) == [other]
    somebody.rollback()
    assert claim(db) == [locked, behind]


def test_finishing_a_message_twice_changes_nothing(db):
    ids = say(db, "a")
    claim(db)

    assert finish(db, ids) == 1
    assert finish(db, ids) == 0


def test_only_the_service_may_claim_and_finish_messages(db):
    caller = database.Caller(None, "anon")
    for statement in ("select * from ops.claim_outbox()", "select ops.finish_outbox(ids => '{1}')"):
        with pytest.raises(Exception, match="unauthenticated"), database.single(caller) as session:
            session.all(statement)
