"""Test the queue of an event: one transaction waits for the inventory row, the others for an advisory lock."""

import json
import time
from collections import Counter
from uuid import uuid4

import psycopg
import pytest

from tests.kit import routines, stages
from tests.kit.concurrency import InBackground
from tests.kit.wallets import CreditBookings

WAITING = """
select l.locktype
from pg_locks as l
inner join pg_stat_activity as a on a.pid = l.pid
where not l.granted and a.datname = current_database()
"""
COMP = "select events.book(event_id => %s, customer_id => %s, payment_method => 'comp')"
CARD = "select events.book(event_id => %s, payment_method => 'card', idempotency_key => 'tap')"


def lock_waits(db: psycopg.Connection, length: int) -> Counter[str]:
    """Wait until `length` connections wait for locks. Return how many wait for each kind of lock."""
    until = time.monotonic() + 30
    while True:
        waiting = Counter(row["locktype"] for row in db.execute(WAITING).fetchall())
        if waiting.total() >= length:
            return waiting
        assert time.monotonic() < until, waiting
        time.sleep(0.01)


def booking(connection: psycopg.Connection, event_id, customer) -> InBackground:
    return InBackground(lambda: routines.book(connection, event_id, customer, key=uuid4().hex))


def test_one_transaction_waits_for_the_inventory_row_and_the_others_queue(db, connect):
    stage = stages.create(db)
    event_id = stage.event(capacity=5)
    busy = connect(autocommit=False)
    busy.execute("select events.lock_inventory(%s)", [event_id])

    rivals = [booking(connect(), event_id, customer) for customer in stage.customers(5)]

    assert lock_waits(db, 5) == {"transactionid": 1, "advisory": 4}
    busy.commit()
    assert all(rival.got()["status"] == "confirmed" for rival in rivals)
    assert db.execute("select taken from events.inventory").fetchone() == {"taken": 5}


def test_queue_of_one_event_does_not_block_another_event(db, connect):
    stage = stages.create(db)
    wanted, other = stage.event(capacity=5), stage.event(capacity=5)
    busy = connect(autocommit=False)
    busy.execute("select events.lock_inventory(%s)", [wanted])
    first, second, third = stage.customers(3)
    rivals = [booking(connect(), wanted, first), booking(connect(), wanted, second)]
    lock_waits(db, 2)

    assert routines.book(db, other, third, key=uuid4().hex)["status"] == "confirmed"

    busy.commit()
    for rival in rivals:
        rival.got()


@pytest.mark.parametrize("key", ["tap", None], ids=["fast path", "general path"])
def test_transaction_that_holds_the_inventory_row_skips_the_queue(db, connect, key):
    """Otherwise they would deadlock: one waits for the inventory row, the other for the advisory lock."""
    stage = stages.create(db)
    event_id = stage.event(capacity=5)
    owner, waiting = stage.customers(2)
    busy = connect(autocommit=False)
    busy.execute("select events.lock_inventory(%s)", [event_id])
    rival = booking(connect(), event_id, waiting)
    lock_waits(db, 1)

    booked = routines.book(busy, event_id, owner, key=key)
    busy.commit()

    assert booked["status"] == "confirmed"
    assert rival.got()["status"] == "confirmed"


@pytest.mark.parametrize("key", ["tap", None], ids=["fast path", "general path"])
def test_queued_booking_does_not_overtake_a_new_waitlist_entry(db, connect, key):
    """Join the waitlist after the newcomer's first check. One seat is free, but the waiting entry needs two."""
    stage = stages.create(db)
    event_id = stage.event(capacity=2)
    first, second, waiting, newcomer = stage.customers(4)
    booked = routines.book(db, event_id, first)
    busy = connect(autocommit=False)
    busy.execute("select events.queue_for_event(%s)", [event_id])
    rival = InBackground(lambda: routines.book(connect(), event_id, newcomer, key=key))
    lock_waits(db, 1)

    routines.call(db, stage.owner, "select events.book(event_id => %s, customer_id => %s)", [event_id, second])
    routines.call(db, waiting, "select events.join_waitlist(event_id => %s, seats => 2)", [event_id])
    routines.call(db, first, "select events.cancel_booking(booking_id => %s)", [booked["id"]])
    busy.commit()

    assert rival.got() == "sold_out"
    assert db.execute("select taken, waitlisted from events.inventory").fetchone() == {"taken": 1, "waitlisted": 1}


def test_queued_card_booking_does_not_overtake_a_new_waitlist_entry(db, connect):
    """Hold the seats until the payment succeeds. The limits count the hold like a booking."""
    desk = CreditBookings(db, capacity=2)
    event_id = desk.event_id
    first, second, waiting, newcomer = desk.stage.customers(4)
    booked = json.loads(routines.call(db, desk.stage.owner, COMP, [event_id, first]))
    busy = connect(autocommit=False)
    busy.execute("select events.lock_inventory(%s)", [event_id])
    rival = InBackground(lambda: routines.call(connect(), newcomer, CARD, [event_id]))
    lock_waits(db, 1)

    for caller, query, given_to_it in (
        (desk.stage.owner, COMP, [event_id, second]),
        (waiting, "select events.join_waitlist(event_id => %s, seats => 2)", [event_id]),
        (first, "select events.cancel_booking(booking_id => %s)", [booked["id"]]),
    ):
        routines.call(busy, caller, query, given_to_it)
        busy.execute("reset role")
    busy.commit()

    assert rival.got() == "sold_out"
    assert db.execute("select held, waitlisted from events.inventory").fetchone() == {"held": 0, "waitlisted": 1}
