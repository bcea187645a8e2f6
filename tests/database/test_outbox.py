"""The outbox: messages are claimed in order per key, tried again, parked; poisoned ones block nothing."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from marquee.core import database
from tests.database.outboxes import Listener, run, say, unfinished

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
