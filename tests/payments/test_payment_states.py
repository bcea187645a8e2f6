"""The states of payments, refunds and packages: only allowed transitions happen, and each one is recorded."""

import itertools

import psycopg
import pytest

from tests.kit import routines
from tests.kit.packages import buy, offer
from tests.kit.payments import PRICE, CardBookings
from tests.kit.wallets import CreditBookings

STATES = {
    "intent": ("payments.intents", ["created", "open", "processing", "succeeded", "cancelled"]),
    "refund": ("payments.refunds", ["created", "pending", "succeeded", "failed"]),
    "purchase": ("payments.purchases", ["pending", "granted", "expired", "refunded"]),
}
FINAL = {
    ("intent", "succeeded"): [],
    ("intent", "cancelled"): ["succeeded"],
    ("refund", "succeeded"): ["failed"],
    ("refund", "failed"): ["created", "pending", "succeeded"],
    ("purchase", "expired"): ["granted"],
    ("purchase", "refunded"): [],
}


def create_subject(db, machine):
    """Create a row in the machine's table and return its id."""
    if machine == "purchase":
        desk = CreditBookings(db)
        return buy(desk, desk.stage.customer(), offer(desk))["id"]
    till = CardBookings(db)
    booking = till.book(customer := till.stage.customer())
    if machine == "refund":
        till.apply_payment(booking)
        till.cancel(booking, customer)
    return db.execute(f"select id from {STATES[machine][0]}").fetchone()["id"]


def history(db, machine, subject_id):
    rows = db.execute(
        "select from_state, to_state, actor_role, reason from ops.state_history"
        " where machine = %s and subject_id = %s order by id",
        [machine, subject_id],
    ).fetchall()
    return [tuple(row.values()) for row in rows]


@pytest.mark.parametrize("machine", STATES)
def test_only_transitions_of_the_state_machine_are_allowed(db, machine):
    thing_id = create_subject(db, machine)
    table, states = STATES[machine]
    known = {
        (row["from_state"], row["to_state"])
        for row in db.execute("select * from ops.transitions where machine = %s", [machine]).fetchall()
    }
    did = set()
    db.execute("begin")
    for before, after in itertools.permutations(states, 2):
        db.execute("savepoint change")
        db.execute(f"alter table {table} disable trigger enforce_transition")
        db.execute(f"update {table} set status = %s where id = %s", [before, thing_id])
        db.execute(f"alter table {table} enable trigger enforce_transition")
        try:
            db.execute(f"update {table} set status = %s where id = %s", [after, thing_id])
            did.add((before, after))
        except psycopg.Error as error:
            assert routines.code_of(error) == "invalid_transition"
        db.execute("rollback to change")
    db.execute("rollback")

    assert did == known
    for (of, final), allowed in FINAL.items():
        if of == machine:
            assert sorted(after for before, after in did if before == final) == allowed


def test_payment_after_its_cancellation_succeeds_and_keeps_its_history(db):
    till = CardBookings(db)
    booking = till.book(customer := till.stage.customer())
    till.apply_payment(booking, "requires_payment_method")
    till.cancel(booking, customer)
    till.apply_payment(booking, "canceled")

    till.apply_payment(booking, "succeeded")

    assert history(db, "intent", booking["id"]) == [
        ("created", "open", "service_role", None),
        ("open", "cancelled", "service_role", None),
        ("cancelled", "succeeded", "service_role", None),
    ]


@pytest.mark.parametrize("status", ["pending", "succeeded"])
def test_refused_refund_that_exists_at_stripe_takes_its_status(db, status):
    till = CardBookings(db)
    booking = till.book(customer := till.stage.customer())
    till.apply_payment(booking)
    till.cancel(booking, customer)
    (claimed,) = till.claim("refunds")
    result = f'[{{"refund_id": "{claimed["refund_id"]}", "error": {{"message": "No."}}, "retryable": false}}]'
    routines.call(db, None, "select payments.record_refunds(%s::text::jsonb)", [result])

    till.apply_payment(
        booking,
        refunds=[
            {
                "stripe_id": "re_1", "refund_id": str(claimed["refund_id"]), "key": claimed["idempotency_key"],
                "amount_cents": PRICE, "status": status, "failure_reason": None,
            }
        ],
    )  # fmt: skip

    assert history(db, "refund", claimed["refund_id"]) == [
        ("created", "failed", "service_role", "No."),
        ("failed", status, "service_role", None),
    ]
