"""Test that the limits of one person hold when many connections of that person take seats at once."""

import json
from collections import Counter

import pytest

from tests.kit import routines, stages
from tests.kit.concurrency import delay_statements, outcomes, run_together

DEVICES = 24
PRICED = {"price_cents": 4000}


@pytest.fixture(params=["no delay", "delayed statements"])
def stage(db, request):
    """Create a stage, the second time with a delay before every statement of the routines."""
    if request.param != "no delay":
        assert delay_statements(db) > 500
    return stages.create(db)


def no_deadlocks(db) -> bool:
    db.execute("select pg_stat_force_next_flush()")
    query = "select deadlocks from pg_stat_database where datname = current_database()"
    return db.execute(query).fetchone()["deadlocks"] == 0


def book(connection, event_id, caller, key=None, **arguments):
    names = "".join(f", {name} => %s" for name in arguments)
    query = f"select events.book(event_id => %s, idempotency_key => %s{names})"
    return json.loads(routines.call(connection, caller, query, [event_id, key, *arguments.values()]))


def hold(connection, event_id, caller, seats):
    query = "select events.hold_seats(event_id => %s, seats => %s)"
    return routines.call(connection, caller, query, [event_id, seats])


def total(db, query, *arguments):
    return db.execute(f"select coalesce(sum(seats), 0) as n from {query}", arguments).fetchone()["n"]


def test_concurrent_holds_of_one_person_are_limited_to_forty_seats(db, connect, stage):
    somebody = stage.customer()
    event_ids = [stage.event(capacity=50) for _ in range(DEVICES)]

    results = run_together(connect, event_ids, lambda c, event_id: hold(c, event_id, somebody, 7))

    refused = [result for result in results if isinstance(result, str)]
    assert Counter(refused) == {"too_many_held": DEVICES - 5}
    assert total(db, "events.holds where status = 'active'") == 35
    assert no_deadlocks(db)


def test_concurrent_holds_and_unpaid_bookings_count_together(db, connect, stage):
    somebody = stage.customer()
    event_ids = [stage.event(capacity=50, **PRICED) for _ in range(DEVICES // 2)]
    acts = [(event_id, way) for event_id in event_ids for way in ("hold", "card")]

    def act(connection, chosen):
        event_id, way = chosen
        if way == "hold":
            return hold(connection, event_id, somebody, 6)
        return book(connection, event_id, somebody, key=f"{event_id}", seats=6, payment_method="card")

    results = run_together(connect, acts, act)

    assert outcomes([r for r in results if isinstance(r, str)]).keys() == {"too_many_held"}
    assert total(db, "events.holds where status = 'active' and purpose <> 'offer'") == 36
    assert no_deadlocks(db)


def test_concurrent_waitlist_entries_are_limited_to_forty_seats(db, connect, stage):
    somebody = stage.customer()
    event_ids = [stage.event(capacity=7) for _ in range(DEVICES // 2)]
    for event_id in event_ids:
        routines.book(db, event_id, stage.owner, 7)
    join = "select events.join_waitlist(event_id => %s, seats => 7)"

    results = run_together(connect, event_ids, lambda c, event_id: routines.call(c, somebody, join, [event_id]))

    refused = [result for result in results if isinstance(result, str)]
    assert Counter(refused) == {"too_many_waiting_seats": DEVICES // 2 - 5}
    assert total(db, "events.waitlist_entries where status = 'waiting'") == 35
    assert no_deadlocks(db)


def test_concurrent_invoice_bookings_are_limited_to_forty_unpaid_seats(db, connect, stage):
    db.execute(
        "insert into organizations.payout_settings (organization_id, invoices_allowed) values (%s, true)",
        [stage.organization_id],
    )
    somebody = stage.customer()
    event_ids = [stage.event(capacity=50, **PRICED) for _ in range(DEVICES // 2)]

    def act(connection, event_id):
        return book(connection, event_id, somebody, key=f"{event_id}", seats=7, payment_method="invoice")

    results = run_together(connect, event_ids, act)

    refused = [result for result in results if isinstance(result, str)]
    assert Counter(refused) == {"too_many_held": DEVICES // 2 - 5}
    assert total(db, "events.bookings where status = 'confirmed'") == 35
    assert no_deadlocks(db)


def test_concurrent_guest_bookings_stay_within_the_seat_limit(db, connect, stage):
    event_id, somebody = stage.event(capacity=200), stage.customer()

    results = run_together(connect, range(DEVICES), lambda c, _: book(c, event_id, somebody, guest=True, seats=3))

    refused = [result for result in results if isinstance(result, str)]
    assert Counter(refused) == {"too_many_seats": DEVICES - 6}
    assert total(db, "events.bookings where customer_id = %s", somebody) == 18
    assert no_deadlocks(db)


@pytest.mark.parametrize("own_seats", [1, 4])
def test_concurrent_guest_and_own_bookings_stay_within_the_seat_limit(db, connect, stage, own_seats):
    event_id, somebody = stage.event(capacity=200), stage.customer()

    def act(connection, number):
        if number % 3 == 0:
            return book(connection, event_id, somebody, key=f"own-{number}", seats=own_seats)
        return book(connection, event_id, somebody, key=f"guest-{number}", guest=True, seats=2)

    results = run_together(connect, range(DEVICES), act)

    assert {r for r in results if isinstance(r, str)} <= {"too_many_seats", "already_booked"}
    assert 15 <= total(db, "events.bookings where customer_id = %s", somebody) <= 20
    assert no_deadlocks(db)


def test_concurrent_holds_bookings_and_joins_never_deadlock(db, connect, stage):
    people = stage.customers(4)
    event_ids = [stage.event(capacity=9, **PRICED) for _ in range(3)]
    acts = [(who, event_id, way) for who in people for event_id in event_ids for way in ("hold", "card", "wait")]

    def act(connection, chosen):
        who, event_id, way = chosen
        if way == "hold":
            return hold(connection, event_id, who, 3)
        if way == "card":
            return book(connection, event_id, who, key=f"{who}{event_id}", seats=3, payment_method="card")
        return routines.call(connection, who, "select events.join_waitlist(event_id => %s, seats => 3)", [event_id])

    run_together(connect, acts, act)

    assert no_deadlocks(db)
    assert db.execute(stages.DRIFT).fetchall() == []


def test_concurrent_waitlist_joins_are_limited_in_number(db, connect, stage):
    somebody = stage.customer()
    event_ids = [stage.event(capacity=1) for _ in range(DEVICES)]
    for event_id in event_ids:
        routines.book(db, event_id, stage.owner)
    join = "select events.join_waitlist(event_id => %s)"

    results = run_together(connect, event_ids, lambda c, event_id: routines.call(c, somebody, join, [event_id]))

    assert Counter(result for result in results if isinstance(result, str)) == {"too_many_waits": DEVICES - 20}
