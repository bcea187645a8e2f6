"""Payments with many connections at once: in any order, no cent is lost, duplicated or stuck."""

import contextlib
import json
import random
import threading
from collections import Counter
from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.kit import money_invariants, routines, stages
from tests.kit.concurrency import delay_statements, outcomes, run_together
from tests.kit.stripe_fake import FakeStripe, Refused

PRICE = 10000
BOOK = "select events.book(event_id => %s, payment_method => %s, idempotency_key => %s, guest => true)::jsonb"
REFUND = (
    "select payments.refund_booking(booking_id => %s, amount_cents => %s, destination => %s, idempotency_key => %s)"
)


class FakeStripeBookings:
    """Events at 100.00, customers who pay for them through a fake bank, and the workers between them."""

    def __init__(self, db):
        self.db, self.bank = db, FakeStripe()
        self.stage = stages.create(db)
        self.policy = {**stages.POLICY, "late_fee_cents": 0}

    def event(self, capacity=5):
        return self.stage.event(capacity=capacity, price_cents=PRICE, policy=self.policy)

    def book(self, event_id, customer, method="card", connection=None):
        booking = routines.call(connection or self.db, customer, BOOK, [event_id, method, uuid4().hex])
        if method == "card":
            booking["stripe_id"] = self.bank.create(booking["id"], PRICE)
        return booking | {"event_id": event_id, "customer": customer}

    def paid(self, event_id, customer):
        booking = self.book(event_id, customer)
        self.bank.pay(booking["stripe_id"])
        self.apply_payment(self.db, booking)
        return booking

    def apply_payment(self, connection, booking, facts=None):
        facts = facts or self.bank.facts(booking["stripe_id"])
        return routines.call(connection, None, "select payments.apply_payment(%s)", [Jsonb(facts)])

    def give(self, customer, cents):
        query = """
            select payments.grant_credits(
                organization_id => %s, customer_id => %s, kind => 'wallet', amount => %s, currency => 'CHF',
                idempotency_key => %s
            )
        """
        routines.call(self.db, self.stage.owner, query, [self.stage.organization_id, customer, cents, uuid4().hex])

    def send_refunds(self, connection, most=40):
        """Claim refunds, send them, record the bank's responses, and return the ids of the claimed refunds."""
        with psycopg.ClientCursor(connection) as cursor:
            cursor.execute("select c.* from payments.claim_refunds(most => %s) as c", [most])
            claimed = cursor.fetchall()
        results = []
        for row in claimed:
            try:
                made = self.bank.refund(
                    row["stripe_payment_intent_id"], row["amount_cents"], row["idempotency_key"], str(row["refund_id"])
                )
                results.append({**made, "refund_id": row["refund_id"]})
            except Refused as refusal:
                error = {"code": str(refusal), "message": ""}
                results.append({"refund_id": row["refund_id"], "error": error, "retryable": False})
        query = "select payments.record_refunds(results => %s::text::jsonb)"
        routines.call(connection, None, query, [json.dumps(results, default=str)])
        return [row["refund_id"] for row in claimed]

    def settle(self):
        """Run all workers until no work remains, then compare the ledger with the bank."""
        routines.call(self.db, None, "select events.expire_holds(at => now() + interval '3 hours', most => 1000)")
        for payment in list(self.bank.payments.values()):
            self.bank.cancel(payment.stripe_id)
            self.apply_payment(self.db, {"stripe_id": payment.stripe_id})
        self.db.execute("update payments.refunds set available_at = now()")
        while self.send_refunds(self.db):
            pass
        for payment in self.bank.payments.values():
            for number in range(len(payment.refunds)):
                if payment.refunds[number]["status"] == "pending":
                    payment.refunds[number]["status"] = "succeeded"
            self.apply_payment(self.db, {"stripe_id": payment.stripe_id})
        assert money_invariants.findings(self.db) == []
        assert money_invariants.clearing_cents(self.db) == self.bank.holds_cents()
        waiting = "select count(*) as n from payments.intents where status in ('created', 'open', 'processing')"
        assert self.db.execute(waiting).fetchone()["n"] == 0


@pytest.fixture
def till(db):
    till = FakeStripeBookings(db)
    delay_statements(db, schema="payments")
    delay_statements(db, seed=2)
    yield till
    assert money_invariants.findings(db) == []
    till.settle()


def act(connection, deed):
    """Call a deed, which is a function of a connection."""
    return deed(connection)


def test_same_facts_from_ten_connections_are_applied_once(connect, till):
    booking = till.book(till.event(), till.stage.customer())
    till.bank.pay(booking["stripe_id"])
    facts = till.bank.facts(booking["stripe_id"])

    results = run_together(connect, [lambda c: till.apply_payment(c, booking, facts)] * 10, act)

    assert sorted(result["did"] for result in results) == [[]] * 9 + [["confirmed"]]
    topics = till.db.execute("select topic from public.outbox").fetchall()
    assert [row["topic"] for row in topics] == ["booking.confirmed"]


def test_payment_and_change_of_its_method_at_once_pay_once(connect, till):
    event_id = till.event(capacity=10)
    bookings = [till.book(event_id, till.stage.customer()) for _ in range(4)]
    for booking in bookings:
        till.give(booking["customer"], PRICE)
        till.bank.pay(booking["stripe_id"])
    change = "select events.change_payment_method(%s, 'wallet')"

    def deeds(booking):
        yield lambda c: till.apply_payment(c, booking)
        yield lambda c: routines.call(c, booking["customer"], change, [booking["id"]])

    run_together(connect, [deed for booking in bookings for deed in deeds(booking)], act)

    rows = till.db.execute(
        """
        select b.status::text, b.payment_method::text as method, s.method::text as sold, l.remaining, r.cause
        from events.bookings as b
        inner join payments.sales as s on s.booking_id = b.id
        inner join payments.credit_lots as l on l.customer_id = b.customer_id
        left join payments.refunds as r on r.booking_id = b.id
        """
    ).fetchall()
    assert len(rows) == len(bookings)
    ways = {("confirmed", "card", "card", PRICE, None), ("confirmed", "wallet", "wallet", 0, "too_late")}
    assert {tuple(row.values()) for row in rows} <= ways


def test_refusal_and_booking_of_the_last_seat_at_once_never_oversell(connect, till):
    event_id = till.event(capacity=2)
    refused = [till.book(event_id, till.stage.customer(), connection=None) for _ in range(2)]
    rivals = till.stage.customers(4)
    refuse = 'select payments.refuse_intent(%s, \'{"code": "refused", "message": "No."}\', true)'

    def deeds():
        for booking in refused:
            yield lambda c, booking=booking: routines.call(c, None, refuse, [booking["id"]])
        for rival in rivals:
            yield lambda c, rival=rival: till.book(event_id, rival, connection=c)

    run_together(connect, list(deeds()), act)

    assert till.db.execute(stages.DRIFT).fetchall() == []
    states = till.db.execute(
        "select status::text from events.bookings where id = any (%s::uuid[])", [[booking["id"] for booking in refused]]
    ).fetchall()
    assert [row["status"] for row in states] == ["expired", "expired"]


def test_refund_facts_and_sender_results_from_ten_connections_post_once(connect, till):
    booking = till.paid(till.event(), till.stage.customer())
    routines.call(till.db, booking["customer"], "select events.cancel_booking(booking_id => %s)", [booking["id"]])
    till.db.execute("update payments.refunds set available_at = now()")
    (row,) = till.db.execute("select c.* from payments.claim_refunds() as c").fetchall()
    made = till.bank.refund(booking["stripe_id"], PRICE, row["idempotency_key"], str(row["refund_id"]))
    till.bank.end_refund(booking["stripe_id"], "succeeded")
    results = json.dumps([{**made, "refund_id": str(row["refund_id"])}])
    facts = till.bank.facts(booking["stripe_id"])

    def record(connection):
        return routines.call(connection, None, "select payments.record_refunds(%s::text::jsonb)", [results])

    run_together(connect, [record, lambda c: till.apply_payment(c, booking, facts)] * 5, act)

    sent = "select count(*) as n from payments.transactions where kind = 'refund_sent'"
    assert till.db.execute(sent).fetchone()["n"] == 1
    assert till.db.execute("select status from payments.refunds").fetchone()["status"] == "succeeded"


RIVALS = {
    "hold expiry": (
        None,
        "select events.expire_event_holds(event_id => %(event)s, at => now() + interval '1 hour')",
    ),
    "cancellation by the customer": ("customer", "select events.cancel_booking(booking_id => %(booking)s)"),
    "cancellation by the organizer": ("owner", "select events.cancel_event(event_id => %(event)s)"),
    "erasure of the customer": ("customer", "select users.erase_profile(user_id => %(customer)s)"),
    "booking of the last seat": (
        "other",
        "select events.book(event_id => %(event)s, payment_method => 'wallet', idempotency_key => 'mine')",
    ),
}


@pytest.mark.parametrize("rival", RIVALS)
def test_payment_while_its_booking_ends_gets_a_seat_or_a_refund(connect, till, rival):
    who, query = RIVALS[rival]
    deeds, bookings = [], []
    for _ in range(8):
        booking = till.book(till.event(capacity=1), till.stage.customer())
        till.bank.pay(booking["stripe_id"])
        bookings.append(booking)
        other = till.stage.customer()
        till.give(other, PRICE)
        people = {"customer": booking["customer"], "owner": till.stage.owner, "other": other}
        given_names = {"event": booking["event_id"], "booking": booking["id"], "customer": booking["customer"]}

        def rivals(connection, caller=people.get(who), names=given_names):
            if caller is None:
                return connection.execute(query, names).fetchone()
            return routines.call(connection, caller, query, names)

        deeds += [rivals, lambda connection, booking=booking: till.apply_payment(connection, booking)]
    if who == "other":
        till.db.execute("update events.holds set expires_at = now()")

    results = run_together(connect, deeds, act)

    assert {code for code in results if isinstance(code, str)} <= {"sold_out", "invalid_transition"}
    till.settle()
    ends = Counter()
    for booking in bookings:
        row = till.db.execute(
            "select b.status::text, s.amount_cents - s.refunded_cents as kept from events.bookings as b"
            " left join payments.sales as s on s.booking_id = b.id where b.id = %s",
            [booking["id"]],
        ).fetchone()
        ends[row["status"]] += 1
        assert (row["status"] == "confirmed") == bool(row["kept"])
    assert sum(ends.values()) == len(bookings)
    if who in ("customer", "owner"):
        assert ends == {"cancelled": len(bookings)}


def test_concurrent_partial_refunds_and_cancellations_refund_exactly_the_price(connect, till):
    deeds, bookings = [], []
    event_id = till.event(capacity=20)
    for _ in range(5):
        booking = till.paid(event_id, till.stage.customer())
        bookings.append(booking)
        key = f"refund of {booking['id']}"
        for cents, destination, key in ((3000, "original", key), (3000, "original", key), (4000, "wallet", key + " b")):
            deeds.append(
                lambda c, i=booking["id"], p=(cents, destination, key): routines.call(
                    c, till.stage.owner, REFUND, [i, *p]
                )
            )
        for caller in (booking["customer"], till.stage.owner):
            deeds.append(
                lambda c, i=booking["id"], who=caller: routines.call(
                    c, who, "select events.cancel_booking(booking_id => %s)", [i]
                )
            )

    results = run_together(connect, deeds, act)

    assert outcomes(results).keys() <= {"booked", "refund_exceeds_payment", "nothing_to_refund"}
    rows = till.db.execute("select amount_cents, refunded_cents from payments.sales").fetchall()
    assert {(row["amount_cents"], row["refunded_cents"]) for row in rows} == {(PRICE, PRICE)}


def test_concurrent_facts_of_a_failed_payout_notify_once(connect, till):
    facts = {
        "stripe_id": "po_1", "account_id": None, "amount_cents": 5000, "currency": "chf", "status": "failed",
        "arrives_on": "2031-01-01", "failure_code": "account_closed", "failure_message": "The account is closed.",
        "observed_at": "2031-01-01T00:00:00Z",
    }  # fmt: skip
    query = "select payments.apply_payout(%s)"

    results = run_together(connect, [lambda c: routines.call(c, None, query, [Jsonb(facts)])] * 8, act)

    assert sorted(result["did"] for result in results) == [[]] * 7 + [["failed"]]

    told = till.db.execute("select count(*) as n from public.outbox where topic = 'payout.failed'").fetchone()
    assert told["n"] == 1


def test_each_refund_is_claimed_by_one_worker_and_sent_once(connect, till):
    event_id = till.event(capacity=30)
    bookings = [till.paid(event_id, till.stage.customer()) for _ in range(24)]
    routines.call(till.db, till.stage.owner, "select events.cancel_event(event_id => %s)", [event_id])

    claims = run_together(connect, [lambda c: till.send_refunds(c, most=7)] * 6, act)

    claimed = [refund_id for each in claims for refund_id in each]
    assert len(claimed) == len(set(claimed))
    till.settle()
    assert {till.bank.payments[booking["stripe_id"]].returned_cents for booking in bookings} == {PRICE}


def test_last_money_of_a_wallet_pays_for_one_of_two_events(connect, till):
    for _ in range(3):
        customer, events = till.stage.customer(), [till.event(), till.event()]
        till.give(customer, PRICE + 1)

        results = run_together(
            connect, [lambda c, e=events[n % 2]: till.book(e, customer, "wallet", c) for n in range(10)], act
        )

        assert outcomes(results) == {"booked": 1, "insufficient_funds": 9}


@pytest.mark.parametrize("seed", range(3))
def test_random_concurrent_actions_balance_without_a_deadlock(connect, till, seed):
    dice = random.Random(seed)
    events = [till.event(capacity=8) for _ in range(3)]
    people = till.stage.customers(6)
    for customer in people:
        till.give(customer, 2 * PRICE)
    known = []
    for customer in people:
        for event_id in dice.sample(events, 2):
            booking = till.book(event_id, customer, dice.choice(["card", "card", "wallet"]))
            known.append(booking)
            if "stripe_id" in booking and dice.random() < 0.7:
                till.bank.pay(booking["stripe_id"])
                if dice.random() < 0.6:
                    till.apply_payment(till.db, booking)
    guard = threading.Lock()

    def deed(number):
        kind = dice.choice(
            ["book", "pay", "hear", "hear", "cancel", "cancel", "part", "by hand", "fails", "send", "send", "expire",
             "lapse", "call off", "erase", "dispute"]
        )  # fmt: skip
        booking, who, event_id = dice.choice(known), dice.choice(people), dice.choice(events)
        by_card = dice.choice([each for each in known if "stripe_id" in each])
        method = dice.choice(["card", "wallet"])

        def run(c):
            match kind:
                case "book":
                    made = till.book(event_id, who, method, c)
                    with guard:
                        known.append(made)
                case "pay" | "hear":
                    if kind == "pay":
                        till.bank.pay(by_card["stripe_id"])
                    till.apply_payment(c, by_card)
                case "by hand":
                    with contextlib.suppress(Refused):
                        till.bank.refund(by_card["stripe_id"], 1000 * (number % 10 + 1))
                    till.apply_payment(c, by_card)
                case "fails":
                    till.bank.end_refund(by_card["stripe_id"], "failed", number)
                    till.apply_payment(c, by_card)
                case "dispute":
                    till.bank.dispute(by_card["stripe_id"])
                    till.apply_payment(c, by_card)
                case "cancel":
                    routines.call(
                        c, booking["customer"], "select events.cancel_booking(booking_id => %s)", [booking["id"]]
                    )
                case "part":
                    arguments = [booking["id"], 500, ["original", "wallet"][number % 2], f"part-{number}"]
                    routines.call(c, till.stage.owner, REFUND, arguments)
                case "send":
                    till.send_refunds(c, most=5)
                case "expire":
                    routines.call(c, None, "select events.expire_holds(at => now() + interval '1 hour')")
                case "lapse":
                    routines.call(c, None, "select payments.expire_credits(at => now() + interval '1 hour')")
                case "call off" if number % 5 == 0:
                    routines.call(c, till.stage.owner, "select events.cancel_event(event_id => %s)", [event_id])
                case "erase" if number % 3 == 0:
                    routines.call(c, who, "select users.erase_profile(user_id => %s)", [who])

        return run

    for wave in range(3):
        till.db.execute("update payments.refunds set available_at = now()")
        results = run_together(connect, [deed(100 * wave + number) for number in range(24)], act)
        assert {code for code in results if isinstance(code, str)} <= {
            "already_booked", "event_not_bookable", "forbidden", "insufficient_funds", "invalid_transition",
            "nothing_to_refund", "payment_disputed", "refund_exceeds_payment", "sold_out", "booking_not_found",
        }  # fmt: skip
        assert money_invariants.findings(till.db) == []
