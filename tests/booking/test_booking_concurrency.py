"""Test that concurrent operations on real connections never oversell an event, for any mix and timing."""

import json
import random
from collections import Counter
from uuid import uuid4

import psycopg
import pytest

from tests.kit import routines, stages
from tests.kit.concurrency import delay_statements, outcomes, run_together

RIVALS = 25


@pytest.fixture(params=["no delay", "delayed statements"])
def stage(db, request):
    """Create a stage, the second time with a delay before every statement of the routines."""
    if request.param != "no delay":
        assert delay_statements(db) > 500
    return stages.create(db)


@pytest.fixture(params=["fast path", "general path"])
def keyed(request):
    """Return a function that makes idempotency keys. Without a key, a booking takes the general path."""
    return (lambda: uuid4().hex) if request.param == "fast path" else (lambda: None)


def no_drift(db) -> bool:
    return db.execute(stages.DRIFT).fetchall() == []


def no_deadlocks(db) -> bool:
    db.execute("select pg_stat_force_next_flush()")
    query = "select deadlocks from pg_stat_database where datname = current_database()"
    return db.execute(query).fetchone()["deadlocks"] == 0


def test_five_concurrent_bookings_per_seat_never_oversell(db, connect, stage, keyed):
    event_id = stage.event(capacity=RIVALS // 5)

    results = run_together(
        connect, stage.customers(RIVALS), lambda c, who: routines.book(c, event_id, who, key=keyed())
    )

    assert outcomes(results) == {"booked": RIVALS // 5, "sold_out": RIVALS - RIVALS // 5}
    assert no_drift(db)


def test_concurrent_bookings_of_different_sizes_never_oversell(db, connect, stage, keyed):
    event_id = stage.event(capacity=17)
    wanted = [1, 2, 3, 4, 5] * 5

    results = run_together(
        connect,
        list(zip(stage.customers(RIVALS), wanted, strict=True)),
        lambda c, rival: routines.book(c, event_id, rival[0], seats=rival[1], key=keyed()),
    )

    sold = sum(seats for result, seats in zip(results, wanted, strict=True) if not isinstance(result, str))
    assert sold <= 17
    assert db.execute("select taken from events.inventory where event_id = %s", [event_id]).fetchone()["taken"] == sold
    assert no_drift(db)


def test_concurrent_retries_with_one_key_create_one_booking_and_one_response(db, connect, stage):
    event_id = stage.event(capacity=5)
    customer = stage.customer()
    query = "select events.book(event_id => %s, idempotency_key => 'tap')"

    answers = run_together(connect, [customer] * 12, lambda c, who: routines.call(c, who, query, [event_id]))

    assert len(set(answers)) == 1
    assert json.loads(answers[0])["status"] == "confirmed"
    assert db.execute("select count(*) as n from events.bookings").fetchone()["n"] == 1
    assert no_drift(db)


def test_concurrent_requests_of_one_customer_create_one_booking(db, connect, stage, keyed):
    event_id = stage.event(capacity=5)
    customer = stage.customer()

    results = run_together(connect, [customer] * 12, lambda c, who: routines.book(c, event_id, who, key=keyed()))

    assert outcomes(results) == {"booked": 1, "already_booked": 11}
    assert no_drift(db)


def test_concurrent_waitlist_joins_get_distinct_places(db, connect, stage):
    event_id = stage.event(capacity=1)
    routines.book(db, event_id, stage.customer())
    db.execute("reset role")

    entries = run_together(
        connect,
        stage.customers(RIVALS),
        lambda c, who: routines.call(c, who, "select events.join_waitlist(event_id => %s)", [event_id]),
    )

    places = [row["place"] for row in db.execute("select place from events.waitlist_entries order by place").fetchall()]
    assert places == list(range(1, RIVALS + 1))
    assert len({entry["id"] for entry in entries}) == RIVALS
    assert no_drift(db)


def test_freed_seat_is_offered_to_one_person(db, connect, stage):
    event_id = stage.event(capacity=3)
    holders, waiting = stage.customers(3), stage.customers(6)
    for holder in holders:
        routines.book(db, event_id, holder)
    for who in waiting:
        routines.call(db, who, "select events.join_waitlist(event_id => %s)", [event_id])
    bookings = {
        row["customer_id"]: row["id"] for row in db.execute("select id, customer_id from events.bookings").fetchall()
    }

    run_together(
        connect,
        [*holders, None, None],
        lambda c, who: (
            routines.call(c, None, "select events.promote_waitlists()")
            if who is None
            else routines.call(c, who, "select events.cancel_booking(booking_id => %s)", [bookings[who]])
        ),
    )

    offered = db.execute(
        "select customer_id from events.waitlist_entries where status = 'offered' order by place"
    ).fetchall()
    assert [row["customer_id"] for row in offered] == waiting[:3]
    assert db.execute("select held from events.inventory where event_id = %s", [event_id]).fetchone()["held"] == 3
    assert no_drift(db)


def test_concurrent_mix_of_all_operations_keeps_counters_and_queue_order(db, connect, stage):
    """Run bookings, cancellations, holds, waitlist joins, offers, expiries and sweeps on two small events."""
    events = [stage.event(capacity=4), stage.event(capacity=7)]
    people = stage.customers(16)
    dice = random.Random(7)
    lives = [(who, [dice.random() for _ in range(30)]) for who in people]

    results = run_together(connect, [*lives, (None, [0.5] * 20)], lambda c, life: run_life(c, life, events))

    tally = Counter(code for result in results for code in result)
    assert tally["booked"] >= 4  # the exact number depends on the order
    assert set(tally) <= KNOWN, tally
    assert no_drift(db)
    assert no_deadlocks(db)
    assert overtaken_entries(db) == []


KNOWN = {
    "booked", "cancelled", "held", "joined", "accepted", "declined", "swept", "nothing",
    "sold_out", "already_booked", "already_held", "seats_available", "hold_expired", "offer_not_open",
    "waitlist_entry_not_found", "invalid_transition", "hold_again_later",
}  # fmt: skip


def run_life(connection: psycopg.Connection, life, events) -> list[str]:
    """Run the steps of one person, or of the schedule (None), and return their outcomes."""
    who, dice = life
    steps = []
    for roll in dice:
        event_id = events[int(roll * 1000) % 2]
        try:
            steps.append(run_step(connection, who, event_id, roll))
        except psycopg.Error as error:
            steps.append(routines.code_of(error))
    return steps


def run_step(connection, who, event_id, roll) -> str:
    if who is None:
        routines.call(connection, None, "select events.expire_holds(at => now() + interval '16 minutes')")
        routines.call(connection, None, "select events.promote_waitlists()")
        return "swept"
    if roll < 0.3:
        key = uuid4().hex if int(roll * 10_000) % 2 else None
        routines.book(connection, event_id, who, seats=1 + int(roll * 100) % 2, key=key)
        return "booked"
    if roll < 0.5:
        mine = routines.call(
            connection,
            who,
            "select (select id from events.bookings where event_id = %s and status = 'confirmed' "
            "and customer_id = ops.caller_id() limit 1)",
            [event_id],
        )
        if mine is None:
            return "nothing"
        routines.call(connection, who, "select events.cancel_booking(booking_id => %s)", [mine])
        return "cancelled"
    if roll < 0.6:
        routines.call(connection, who, "select events.hold_seats(event_id => %s)", [event_id])
        return "held"
    if roll < 0.8:
        routines.call(connection, who, "select events.join_waitlist(event_id => %s)", [event_id])
        return "joined"
    entry = routines.call(connection, who, "select events.waitlist_place(event_id => %s)", [event_id])
    if roll < 0.95:
        routines.call(connection, who, "select events.accept_offer(entry_id => %s)", [entry["id"]])
        return "accepted"
    routines.call(connection, who, "select events.decline_offer(entry_id => %s)", [entry["id"]])
    return "declined"


def overtaken_entries(db) -> list[dict]:
    """Return the waiting entries that a later entry overtook. A strict queue has none."""
    return db.execute(
        """
        select w.id
        from events.waitlist_entries as w
        inner join events.waitlist_entries as o on o.event_id = w.event_id and o.place > w.place
        where w.status = 'waiting' and o.status = 'offered' and w.joined_at < o.offered_at and w.offers_lapsed = 0
        """
    ).fetchall()
