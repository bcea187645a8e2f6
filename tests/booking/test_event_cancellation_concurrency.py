"""Test requests for seats while the event is being cancelled, or deleted with its series."""

import psycopg
import pytest

from marquee.core import database
from tests.kit import gateway, routines, scheduling, stages
from tests.kit.concurrency import InBackground, delay_statements, outcomes, run_together, wait_for_a_lock

WAYS_IN = {
    "a booking": "select events.book(event_id => %s)",
    "a hold": "select events.hold_seats(event_id => %s)",
    "a wait": "select events.join_waitlist(event_id => %s)",
}


@pytest.mark.parametrize("way_in", WAYS_IN)
def test_request_during_an_event_cancellation_is_refused(db, connect, way_in):
    stage = stages.create(db)
    event_id = stage.event(capacity=1)
    if way_in == "a wait":
        routines.book(db, event_id, stage.customer())
    customer = stage.customer()
    organizer, caller = connect(autocommit=False), connect()
    organizer.execute("select events.cancel_events(array[%s]::uuid[], 'The hall is closed.')", [event_id])

    late = InBackground(lambda: routines.call(caller, customer, WAYS_IN[way_in], [event_id]))
    wait_for_a_lock(db, "%ops.act_as%")
    organizer.commit()

    assert late.got() == "event_not_bookable"
    assert db.execute("select taken, held, waitlisted from events.inventory").fetchone() == {
        "taken": 0,
        "held": 0,
        "waitlisted": 0,
    }


def test_booking_of_an_event_that_is_being_deleted_finds_no_event(db, connect):
    world = scheduling.world(db)
    series = scheduling.make_series(world)
    chosen = scheduling.events_of(world, series["id"])[0]
    archiving = connect(autocommit=False)
    archiving.execute("select events.drop_events(array[%s]::uuid[], 'It moved.')", [chosen["id"]])

    booking = InBackground(
        lambda: gateway.post("book", "/bookings", {"event_id": str(chosen["id"])}, caller=world.customer, key="tap")
    )
    wait_for_a_lock(db, "%events.book%")
    archiving.commit()

    answer = booking.got()
    assert (answer.status, answer.body["code"]) == (404, "event_not_found")
    assert db.execute("select from ops.idempotency_keys where key = 'tap'").fetchall() == []


@pytest.mark.parametrize("way_in", ["a hold", "a wait"])
def test_hold_or_join_of_an_event_that_is_being_deleted_finds_no_event(db, connect, way_in):
    stage = stages.create(db)
    event_id, customer = stage.event(capacity=1), stage.customer()
    deleting, caller = connect(autocommit=False), connect()
    deleting.execute("select events.drop_events(array[%s]::uuid[], 'It moved.')", [event_id])

    late = InBackground(lambda: routines.call(caller, customer, WAYS_IN[way_in], [event_id]))
    wait_for_a_lock(db, "%ops.act_as%")
    deleting.commit()

    assert late.got() == "event_not_found"


def test_event_with_a_concurrent_waitlist_join_is_cancelled_without_deadlock(db, connect):
    """Lock the inventory for a waitlist join, start the deletion, then write the waitlist entry."""
    stage = stages.create(db)
    event_id, customer = stage.event(capacity=1), stage.customer()
    routines.book(db, event_id, stage.customer())
    joining, deleting = connect(autocommit=False), connect()
    joining.execute("select events.lock_inventory(%s)", [event_id])

    deletion = InBackground(
        lambda: deleting.execute("select events.drop_events(array[%s]::uuid[], 'It moved.')", [event_id])
    )
    wait_for_a_lock(db, "%events.drop_events%")
    routines.call(joining, customer, WAYS_IN["a wait"], [event_id])
    joining.commit()

    deletion.got()
    ended = db.execute("select status from events.waitlist_entries").fetchall()
    assert ended == [{"status": "expired"}]


def test_concurrent_bookings_of_deleted_events_leave_no_confirmed_booking(db, connect):
    """Delay every statement: each booking must be refused, or cancelled with its event."""
    assert delay_statements(db) > 500
    stage = stages.create(db)
    events = [stage.event(capacity=3) for _ in range(6)]

    def act(connection, who):
        if who is None:
            connection.execute("select events.drop_events(%s, 'It moved.')", [events])
            return "dropped"
        codes = [routines.code_of(error) for event_id in events for error in refusals(connection, who, event_id)]
        assert set(codes) <= {"event_not_found", "event_not_bookable", "sold_out"}, codes
        return "tried"

    results = run_together(connect, [*stage.customers(12), None], act)

    assert outcomes(results) == {"tried": 12, "dropped": 1}
    live = "select from events.bookings as b inner join events.terms as t using (event_id) where b.status = 'confirmed'"
    assert db.execute(live).fetchall() == []
    assert db.execute(stages.DRIFT).fetchall() == []


def refusals(connection, who, event_id):
    """Attempt a booking. Return its refusal, or an empty list."""
    try:
        routines.book(connection, event_id, who)
    except psycopg.errors.ForeignKeyViolation as error:
        assert error.diag.constraint_name in database.REFUSED_BY
        return []
    except psycopg.Error as error:
        return [error]
    return []
