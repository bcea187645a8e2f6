"""Newcomers get exactly the seats on sale, and the waitlist those that become free, in any order of arrival."""

from collections import Counter
from uuid import UUID

import psycopg
import pytest

from tests.kit import routines, stages
from tests.kit.concurrency import run_together

CANCEL = "select events.cancel_booking(%s)"
HOLD = "select events.hold_seats(event_id => %s)"
JOIN = "select events.join_waitlist(event_id => %s, seats => %s)"


@pytest.mark.parametrize("key", ["tap", None], ids=["fast path", "general path"])
def test_newcomers_and_cancellations_at_once_never_take_set_aside_seats(db, connect, key):
    stage = stages.create(db)
    event_id = stage.event(capacity=12)
    leavers = {who: UUID(routines.book(db, event_id, who)["id"]) for who in stage.customers(3)}
    for who in stage.customers(3):
        routines.book(db, event_id, who)
    routines.call(db, stage.customer(), JOIN, [event_id, 12])

    crowd = stage.customers(12)

    def act(connection: psycopg.Connection, who: UUID) -> str:
        if who in leavers:
            routines.call(connection, who, CANCEL, [leavers[who]])
            return "left"
        if crowd.index(who) % 3 == 0:
            routines.call(connection, who, HOLD, [event_id])
        else:
            routines.book(connection, event_id, who, key=key)
        return "seated"

    results = run_together(connect, [*crowd[:6], *leavers, *crowd[6:]], act)

    assert Counter(results) == {"seated": 6, "sold_out": 6, "left": 3}
    found = db.execute("select taken + held as seated, set_aside, waitlisted from events.inventory").fetchone()
    assert found == {"seated": 9, "set_aside": 3, "waitlisted": 1}
