"""Test the allowed state transitions of bookings, holds, waitlist entries, events and series."""

import itertools

import psycopg
import pytest

from tests.kit import routines, stages

FOLLOWS = {
    "booking": {
        "pending_payment": {"confirmed", "cancelled", "expired"},
        "held": {"confirmed", "expired"},
        "confirmed": {"cancelled", "refunded", "attended", "no_show"},
        "attended": {"no_show"},
        "no_show": {"attended"},
        "expired": {"confirmed"},  # paid late, while seats were free
        "cancelled": set(),
        "refunded": set(),
    },
    "hold": {
        "active": {"consumed", "released", "expired"},
        "consumed": {"active"},  # Stripe refused the payment
        "released": set(),
        "expired": set(),
    },
    "waitlist": {
        "waiting": {"offered", "left", "expired"},
        "offered": {"accepted", "waiting", "expired", "left"},
        "accepted": {"offered"},  # Stripe refused the payment
        "expired": set(),
        "left": set(),
    },
    "event": {
        "draft": {"scheduled", "cancelled"},
        "scheduled": {"cancelled", "completed"},
        "cancelled": set(),
        "completed": set(),
    },
    "series": {"active": {"paused", "archived"}, "paused": {"active", "archived"}, "archived": set()},
}
TABLES = {
    "booking": "events.bookings",
    "hold": "events.holds",
    "waitlist": "events.waitlist_entries",
    "event": "events.events",
    "series": "events.series",
}
WITH = {  # columns that a row of the state requires
    "booking": ", cancelled_at = now()",
    "waitlist": """
        , hold_id = case when %(word)s = 'offered' then (select id from events.holds) end,
        offered_at = case when %(word)s = 'offered' then now() end,
        offer_expires_at = case when %(word)s = 'offered' then now() end,
        booking_id = case when %(word)s = 'accepted' then (select id from events.bookings) end
    """,
}


@pytest.fixture
def subject(db, request):
    """Create one row for each state machine and return the id of this machine's row."""
    stage = stages.create(db)
    event_id = stage.event(capacity=None)
    customer = stage.customer()
    routines.book(db, event_id, customer)
    routines.call(db, customer, "select events.hold_seats(event_id => %s)", [event_id])
    db.execute(
        "insert into events.waitlist_entries (event_id, customer_id, seats, place) values (%s, %s, 1, 1)",
        [event_id, stage.customer()],
    )
    db.execute(
        """
        insert into events.series (
            organization_id, title, language, time_zone, recurrence, local_start_time, start_date, duration_minutes,
            currency
        )
        values (%s, 'Class', 'en', 'Europe/Zurich', 'RRULE:FREQ=DAILY', '09:00', current_date, 60, 'CHF')
        """,
        [stage.organization_id],
    )
    return db.execute(f"select id from {TABLES[request.param]}").fetchone()["id"]


@pytest.mark.parametrize(("machine", "subject"), [(name, name) for name in TABLES], indirect=["subject"], ids=TABLES)
def test_only_listed_transitions_are_allowed_and_rewriting_a_state_is_allowed(db, machine, subject):
    table, follows = TABLES[machine], FOLLOWS[machine]

    def become(state):
        row = {"state": state, "word": state, "id": subject}
        db.execute(f"update {table} set status = %(state)s {WITH.get(machine, '')} where id = %(id)s", row)

    db.execute("begin")
    db.execute("select events.lock_inventory(event_id) from events.inventory")  # allows seats despite the waitlist
    for before, after in itertools.product(follows, repeat=2):
        db.execute("savepoint change")
        db.execute(f"alter table {table} disable trigger enforce_transition")
        become(before)
        db.execute(f"alter table {table} enable trigger enforce_transition")
        if before == after or after in follows[before]:
            become(after)
            assert db.execute(f"select status from {table} where id = %s", [subject]).fetchone()["status"] == after
        else:
            with pytest.raises(psycopg.Error) as refused:
                become(after)
            assert routines.code_of(refused.value) == "invalid_transition", (before, after)
            allowed = ", ".join(f'"{state}"' for state in sorted(follows[before]))
            assert f'"allowed": [{allowed}]' in refused.value.diag.message_detail
        db.execute("rollback to change")
    db.execute("rollback")
