"""Crashes during payments: Stripe has each payment and each refund once, and no seat stays held."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from local.postgres import Server
from marquee.core import database
from tests.kit import gateway, money_invariants, routines
from tests.kit.aws import record
from tests.kit.databases import api_url
from tests.kit.stripe_standin import PRICE, StandinBookings, deliver, settle

ROOT = Path(__file__).resolve().parents[2]
FEES = """
select coalesce(sum(e.amount_cents), 0)::bigint as cents
from payments.entries as e
inner join payments.accounts as a on a.id = e.account_id
where a.type = 'fees'
"""


@pytest.fixture
def shop(db, stripe, aws):
    db.execute("update ops.rate_limit_rules set per_minute = 6000, burst = 6000")
    shop = StandinBookings(db, stripe)
    yield shop
    assert_consistent(shop)


def run_until_killed(**task: Any) -> None:
    """Run a task in a process that is killed at the given point."""
    command = [sys.executable, "-m", "tests.kit.payment_processes", json.dumps(task, default=str)]
    done = subprocess.run(command, cwd=ROOT, timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL


def sweep(shop: StandinBookings) -> None:
    """Run the sweep until no work remains."""
    for _time in range(3):
        shop.due_now()
        settle()


def assert_consistent(shop: StandinBookings) -> None:
    """Assert that the ledger is consistent and agrees with Stripe."""
    sweep(shop)
    shop.stripe.run()
    sweep(shop)
    assert money_invariants.findings(shop.db) == []
    intents = list(shop.stripe.v1.payment_intents.list({"limit": 100}).auto_paging_iter())
    assert len({intent.metadata.intent_id for intent in intents}) == len(intents)
    came = sum(intent.amount_received for intent in intents)
    refunds = list(shop.stripe.v1.refunds.list({"limit": 100}).auto_paging_iter())
    assert len({each.metadata.refund_id for each in refunds}) == len(refunds)
    fees = shop.db.execute(FEES).fetchone()["cents"]
    assert money_invariants.clearing_cents(shop.db) + fees == came - sum(each.amount for each in refunds)


BOOKING = {
    "before Stripe is asked": ("before", "checkout.create_at_stripe"),
    "after Stripe was asked": ("before", "stripe_sync.record_intent"),
    "after its response was recorded": ("after", "stripe_sync.record_intent"),
}


@pytest.mark.parametrize("point", BOOKING)
@pytest.mark.parametrize("first", ["the sweep", "the customer"])
def test_booking_interrupted_by_a_crash_is_paid_once(shop, point, first):
    customer, (when, at) = shop.stage.customer(), BOOKING[point]
    request = {"event_id": str(shop.event_id), "payment_method": "card"}

    run_until_killed(function="book", payload=request, caller=customer, die=when, at=at)

    if first == "the sweep":
        sweep(shop)
    again = gateway.post("book", "/bookings", request, caller=customer, key="tap")
    assert (again.status, again.body["payment"]["client_secret"] is not None) == (201, True)
    (intent,) = shop.stripe.v1.payment_intents.list().data
    assert intent.id == again.body["payment"]["stripe_payment_intent_id"]
    shop.stripe.pay(intent.id)
    sweep(shop)
    assert shop.status(again.body) == "confirmed"


def test_abandoned_booking_after_a_crash_keeps_no_seat(shop):
    request = {"event_id": str(shop.event_id), "payment_method": "card"}
    run_until_killed(
        function="book", payload=request, caller=shop.stage.customer(), die="before", at="stripe_sync.record_intent"
    )

    routines.call(shop.db, None, "select events.expire_holds(at => now() + interval '1 hour')")
    sweep(shop)

    assert [each.status for each in shop.stripe.v1.payment_intents.list().data] == ["canceled"]
    inventory = shop.db.execute("select taken, held from events.inventory where event_id = %s", [shop.event_id])
    assert inventory.fetchone() == {"taken": 0, "held": 0}


@pytest.mark.parametrize("when", ["before", "after"])
def test_stripe_event_is_applied_once_after_its_worker_crashed(shop, when):
    booking = shop.book()
    shop.stripe.pay(shop.ask(booking))
    shop.stripe.run()
    (event,) = shop.stripe.events("payment_intent.succeeded")
    assert deliver(event).status == 200
    payload = {"Records": [record({"event_id": event["id"]})]}

    run_until_killed(function="stripe-worker", payload=payload, die=when, at="stripe_sync.apply_payment")

    gateway.invoke("stripe-worker", payload)
    standing = "select status::text from payments.webhook_inbox"
    assert shop.db.execute(standing).fetchone()["status"] == "received"  # another worker may still process it
    shop.db.execute("update payments.webhook_inbox set lease_until = now() - interval '1 second'")
    gateway.invoke("stripe-worker", payload)
    assert shop.db.execute(standing).fetchone()["status"] == "handled"
    assert shop.status(booking) == "confirmed"


@pytest.mark.parametrize(
    ("when", "at"), [("after", "claim_refunds"), ("before", "record_refunds"), ("after", "record_refunds")]
)
def test_refund_is_sent_once_after_its_sender_crashed(shop, when, at):
    booking = shop.book()
    shop.stripe.pay(shop.ask(booking))
    sweep(shop)
    shop.cancel(booking)

    run_until_killed(function="stripe-worker", payload={"job": "settle_payments"}, die=when, at=f"stripe_sync.{at}")
    sweep(shop)

    assert [each.amount for each in shop.stripe.v1.refunds.list().data] == [PRICE]
    assert shop.refund()["stripe_refund_id"] is not None


@pytest.mark.parametrize("times", [1, 4])
@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "lock_timeout"])
def test_lost_stripe_response_causes_no_second_payment_or_refund(shop, fault, times):
    customer = shop.stage.customer()
    request = {"event_id": str(shop.event_id), "payment_method": "card"}
    shop.stripe.fail(fault, "POST /v1/payment_intents$", times)

    made = gateway.post("book", "/bookings", request, caller=customer, key="tap")
    sweep(shop)
    (intent,) = shop.stripe.v1.payment_intents.list().data
    shop.stripe.pay(intent.id)
    sweep(shop)
    assert (made.status, shop.status(made.body)) == (201, "confirmed")

    shop.cancel(made.body)
    shop.stripe.fail(fault, "POST /v1/refunds$", times)
    sweep(shop)
    sweep(shop)
    assert [each.amount for each in shop.stripe.v1.refunds.list().data] == [PRICE]


def test_stored_stripe_error_delays_a_refund_until_its_key_expires(shop):
    booking = shop.book()
    shop.stripe.pay(shop.ask(booking))
    sweep(shop)
    shop.cancel(booking)
    shop.stripe.fail("error", "POST /v1/refunds$", 1)
    sweep(shop)
    assert shop.stripe.v1.refunds.list().data == []
    assert shop.refund()["status"] == "created"

    shop.stripe.control("/clock", advance=25 * 3600)
    sweep(shop)

    assert [each.amount for each in shop.stripe.v1.refunds.list().data] == [PRICE]


@pytest.fixture
def crashing(durable, monkeypatch):
    """Return the server with fsync, which the functions use."""
    with connected(durable) as db:
        db.execute("update ops.rate_limit_rules set per_minute = 60000, burst = 60000")
    monkeypatch.setenv("DATABASE_URL", api_url(durable, "postgres"))
    yield durable
    database.disconnect()


def connected(server: Server) -> psycopg.Connection[Any]:
    return psycopg.connect(server.url(), autocommit=True, row_factory=dict_row)


def test_postgres_crash_during_payments_loses_no_cent_and_charges_nobody_twice(crashing, stripe, aws):
    people, crashes = 18, 2
    with connected(crashing) as db:
        shop = StandinBookings(db, stripe)
        db.execute("update events.inventory set capacity = 50")
        customers = [str(customer) for customer in shop.stage.customers(people)]
    tasks = [{"event_id": str(shop.event_id), "customers": customers[n::3], "stripe": stripe.url} for n in range(3)]
    payers = [
        subprocess.Popen([sys.executable, "-m", "tests.kit.payment_processes", json.dumps(task)], cwd=ROOT)
        for task in tasks
    ]

    try:
        for crash in range(crashes):
            deadline = time.monotonic() + 60
            while len(stripe.v1.payment_intents.list({"limit": 100}).data) < (crash + 1) * 5:
                assert time.monotonic() < deadline
                assert None in [payer.poll() for payer in payers]
                time.sleep(0.01)
            crashing.stop("immediate")
            crashing.start()
        assert [payer.wait(120) for payer in payers] == [0, 0, 0]
    finally:
        for payer in payers:
            payer.kill()

    with connected(crashing) as db:
        shop.db = db
        assert_consistent(shop)
        rows = db.execute("select status::text, count(*)::int as n from events.bookings group by 1").fetchall()
        assert {row["status"]: row["n"] for row in rows} == {
            "confirmed": people - people // 3,
            "cancelled": people // 3,
        }
        assert len(stripe.v1.refunds.list({"limit": 100}).data) == people // 3
