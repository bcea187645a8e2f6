"""Random payment histories: no cent is lost at any step, and at the end the ledger agrees with the bank.

MARQUEE_EXAMPLES=500 sets the number of histories. They are the same in each run.
"""

import json
import os
import random
from collections import Counter
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.types.json import Jsonb

from tests.kit import money_invariants, routines, stages
from tests.kit.stripe_fake import FakeStripe, Json, Refused

EXAMPLES = int(os.environ.get("MARQUEE_EXAMPLES", "40"))
STEPS = 45
PRICE = 10000
FEE = 3000

CENTS = [1, 1000, 3333, 7000, PRICE]
METHODS = ["card", "card", "card", "twint", "wallet", "wallet", "pass"]
CODES = [None, None, "BONUS", "FREE"]
WAYS = ["original", "wallet"]
DEEDS = ["book"] * 5 + ["cancel"] * 3 + ["part"] * 3 + ["wait", "reopen", "reopen", "call off", "erase"]
DEEDS += ["buy", "buy", "return package", "settle"]
STROKES = ["pay", "pay and tell", "pay and tell", "decline", "process", "by hand", "by hand", "by hand"]
STROKES += ["arrives", "fails", "fails", "dispute", "dispute what was refunded", "win", "lose", "lose"]
NEWS = ["now", "now", "now", "before", "twice"]
JOBS = ["sweep", "sweep", "send", "send", "send and lose the answer", "expire", "lapse"]


class PaymentLife:
    """Customers, a bank, its webhooks and our own workers, in any order."""

    def __init__(self, db: psycopg.Connection[Any]) -> None:
        self.db, self.bank = db, FakeStripe()
        self.bookings: list[Json] = []
        self.heard: list[Json] = []
        self.did: Counter[str] = Counter()

    def begin(self, gift: int) -> None:
        self.db.execute("begin")
        self.stage = stages.create(self.db)
        late = {**stages.POLICY, "cancel_hours_before": 9000, "late_fee_cents": FEE}
        wallet = {**stages.POLICY, "refund_to": "wallet"}
        self.events = [
            self.stage.event(capacity=2, price_cents=PRICE, policy=policy) for policy in (stages.POLICY, late, wallet)
        ]
        self.people = self.stage.customers(3)
        self.offer_credits()
        if gift:
            query = """
                select payments.grant_credits(
                    organization_id => %s, customer_id => %s, kind => 'wallet', amount => %s, currency => 'CHF',
                    idempotency_key => %s
                )
            """
            for person in self.people:
                self.call(self.stage.owner, query, self.stage.organization_id, person, gift, uuid4().hex)

    def offer_credits(self) -> None:
        """Create packages, and promo codes that grant credits or make a booking free."""
        package = """
            select payments.create_package(
                organization_id => %s, name => 'Package', kind => %s, price_cents => %s, currency => 'CHF',
                amount => %s, bonus => %s
            )
        """
        code = """
            select payments.create_promo_code(
                organization_id => %s, code => %s, kind => %s, percent_bps => %s, amount_cents => %s, currency => %s,
                uses_most_per_customer => 2
            )
        """
        organization_id = self.stage.organization_id
        self.packages = [
            self.call(self.stage.owner, package, organization_id, *terms)
            for terms in [("wallet", 9000, PRICE, 1000), ("wallet", PRICE, 2 * PRICE, 0), ("pass", 7000, 3, 1)]
        ]
        self.call(self.stage.owner, code, organization_id, "BONUS", "credits", None, 2 * PRICE + 7, "CHF")
        self.call(self.stage.owner, code, organization_id, "FREE", "percent", 10000, None, None)

    def call(self, caller: UUID | None, query: str, *params: Any) -> Any:
        """Return the result of a call, or the code of its refusal, which changes nothing."""
        self.db.execute("savepoint call")
        try:
            answer = routines.call(self.db, caller, query, params)
        except psycopg.Error as error:
            self.db.execute("rollback to call")
            return routines.code_of(error)
        finally:
            self.db.execute("reset role")
        self.db.execute("release call")
        return answer

    def act_as_person(self, deed: str, number: int, event: int, method: str, amount: int, way: str) -> None:
        """Let a customer, the staff or the organizer act."""
        person = self.people[number % len(self.people)]
        booking = self.bookings[number % len(self.bookings)] if self.bookings else None
        match deed:
            case "cancel" if booking:
                caller = [booking["customer_id"], self.stage.owner][number % 2]
                self.call(
                    UUID(str(caller)),
                    "select events.cancel_booking(booking_id => %s, waive => %s)",
                    booking["id"],
                    caller == self.stage.owner and number > 5,
                )
            case "part" if booking:
                self.call(
                    self.stage.owner,
                    "select payments.refund_booking(booking_id => %s, amount_cents => %s, destination => %s,"
                    " idempotency_key => %s)",
                    booking["id"], amount, way, f"part-{number % 3}",
                )  # fmt: skip
            case "reopen":
                row = self.db.execute("select id from payments.refunds where status = 'failed' order by id").fetchone()
                if row:
                    query = "select payments.reopen_refund(refund_id => %s, destination => %s)"
                    self.call(self.stage.owner, query, row["id"], way)
            case "buy":
                query = "select payments.buy_package(%s, 'card', %s)"
                package = self.packages[number % len(self.packages)]
                purchase = self.call(person, query, package["id"], uuid4().hex)
                self.sweep()
                if number < 9 and not isinstance(purchase, str):
                    self.bank.pay(stripe_id := f"pi_{purchase['id']}")
                    self.apply_payment(self.bank.facts(stripe_id))
                    self.did["bought"] += 1
            case "return package":
                row = self.db.execute("select id from payments.purchases order by id").fetchone()
                if row:
                    self.call(self.stage.owner, "select payments.refund_purchase(%s)", row["id"])
            case "settle":
                query = "select id from payments.refunds as r where payments.refund_debt_status(r) = 'owed' order by id"
                row = self.db.execute(query).fetchone()
                if row:
                    outcome = ["paid", "forgiven"][number % 2]
                    self.call(self.stage.owner, "select payments.settle_debt(%s, %s)", row["id"], outcome)
                    self.did["settled"] += 1
            case "wait":
                self.call(person, "select events.join_waitlist(event_id => %s)", self.events[event])
            case "call off" if number < 4 and len(self.bookings) > 3:
                self.call(self.stage.owner, "select events.cancel_event(event_id => %s)", self.events[event])
            case "erase" if number < 3:
                self.call(person, "select users.erase_profile(user_id => %s)", person)
            case _:
                made = self.call(
                    person,
                    "select events.book(event_id => %s, payment_method => %s, idempotency_key => %s,"
                    " promo_code => %s)::jsonb",
                    self.events[event], method, uuid4().hex, CODES[number % len(CODES)],
                )  # fmt: skip
                if not isinstance(made, str):
                    self.bookings.append(made)
                    if number < 9:
                        self.sweep()

    def act_at_the_bank(self, stroke: str, number: int, amount: int) -> None:
        """Change a payment at Stripe, usually without a webhook."""
        if not self.bank.payments:
            return
        stripe_id = list(self.bank.payments)[number % len(self.bank.payments)]
        match stroke:
            case "pay" | "pay and tell":
                self.bank.pay(stripe_id)
                if stroke == "pay and tell":
                    self.apply_payment(self.bank.facts(stripe_id))
            case "decline" | "process":
                self.bank.pay(stripe_id, "requires_payment_method" if stroke == "decline" else "processing")
            case "by hand":
                payment = self.bank.payments[stripe_id]
                left = payment.amount_cents - payment.returned_cents
                try:
                    self.bank.refund(stripe_id, left if number > 5 else min(amount, left))
                except Refused:
                    return
                self.apply_payment(self.bank.facts(stripe_id))
            case "arrives" | "fails":
                self.bank.end_refund(stripe_id, "succeeded" if stroke == "arrives" else "failed", number)
            case "dispute" | "dispute what was refunded":
                self.bank.dispute(stripe_id, also_refunded=stroke != "dispute")
            case _:
                for disputed in self.bank.payments:
                    if self.bank.end_dispute(disputed, "won" if stroke == "win" else "lost"):
                        self.apply_payment(self.bank.facts(disputed))
                        return

    def deliver_webhook(self, kind: str, number: int) -> None:
        """Handle a webhook with current facts, with earlier facts, or twice."""
        if kind == "before" and self.heard:
            self.apply_payment(self.heard[number % len(self.heard)])
        elif self.bank.payments:
            facts = self.bank.facts(list(self.bank.payments)[number % len(self.bank.payments)])
            self.heard.append(facts)
            for _time in range(2 if kind == "twice" else 1):
                self.apply_payment(facts)

    def apply_payment(self, facts: Json) -> None:
        answer = self.call(None, "select payments.apply_payment(%s)", Jsonb(facts))
        assert not isinstance(answer, str), answer
        self.did.update(answer["did"])

    def run_worker(self, job: str) -> None:
        """Run one of our own jobs."""
        match job:
            case "sweep":
                self.sweep()
            case "send" | "send and lose the answer":
                self.send(is_lost=job != "send")
            case "expire":
                self.call(None, "select events.expire_holds(at => now() + interval '1 hour')")
            case _:
                self.call(None, "select payments.expire_credits(at => now() + interval '1 hour')")

    def sweep(self) -> None:
        self.db.execute("update payments.intents set available_at = '-infinity'")
        for due in self.db.execute("select c.* from payments.claim_intents() as c").fetchall():
            stripe_id = self.bank.create(str(due["intent_id"]), due["amount_cents"])
            if due["stripe_payment_intent_id"] is None:
                query = "select payments.record_intent(%s, %s, 'secret', 'requires_payment_method')"
                self.call(None, query, due["intent_id"], stripe_id)
            if due["action"] == "cancel":
                self.bank.cancel(stripe_id)
            if due["action"] != "create":
                self.apply_payment(self.bank.facts(stripe_id))

    def send(self, is_lost: bool = False) -> int:
        self.db.execute("update payments.refunds set available_at = '-infinity'")
        results: list[Json] = []
        for due in self.db.execute("select c.* from payments.claim_refunds() as c").fetchall():
            refund_id = str(due["refund_id"])
            try:
                made = self.bank.refund(
                    due["stripe_payment_intent_id"], due["amount_cents"], due["idempotency_key"], refund_id
                )
                results.append({**made, "refund_id": refund_id})
            except Refused as refusal:
                results.append({"refund_id": refund_id, "error": {"code": str(refusal)}, "retryable": False})
        if not is_lost:
            self.call(None, "select payments.record_refunds(results => %s::text::jsonb)", json.dumps(results))
        return len(results)

    def settle(self) -> None:
        """Run all jobs until no work remains, then compare the ledger with the bank."""
        self.call(None, "select events.expire_holds(at => now() + interval '3 hours')")
        for _time in range(3):
            for payment in self.bank.payments.values():
                if payment.status == "processing":
                    payment.status = "requires_payment_method"
                self.apply_payment(self.bank.facts(payment.stripe_id))
            self.sweep()
            self.send()
        assert money_invariants.findings(self.db) == []
        assert money_invariants.clearing_cents(self.db) == self.bank.holds_cents()
        waiting = """
            select
                (
                    select count(*)
                    from payments.intents
                    where status in ('created', 'open', 'processing') and booking_id is not null
                ) as payments,
                (select count(*) from payments.refunds where status = 'created') as refunds,
                (select count(*) from events.holds where purpose = 'payment' and status = 'active') as seats
        """
        assert self.db.execute(waiting).fetchone() == {"payments": 0, "refunds": 0, "seats": 0}
        recovered = self.db.execute("select count(*) as n from payments.refunds where recovered_cents > 0").fetchone()
        owed = self.db.execute("select count(*) as n from payments.refunds where beyond").fetchone()
        assert recovered is not None
        assert owed is not None
        self.did.update(recovered=recovered["n"], owed=owed["n"])

    def step(self, dice: random.Random) -> str:
        """Take a random step and return its name."""
        number = dice.randrange(12)
        match dice.choice(["somebody", "somebody", "bank", "bank", "messenger", "messenger", "worker"]):
            case "somebody":
                deed, event, amount = dice.choice(DEEDS), dice.randrange(3), dice.choice(CENTS)
                self.act_as_person(deed, number, event, dice.choice(METHODS), amount, dice.choice(WAYS))
            case "bank":
                self.act_at_the_bank(deed := dice.choice(STROKES), number, dice.choice(CENTS))
            case "messenger":
                self.deliver_webhook(deed := dice.choice(NEWS), number)
            case _:
                self.run_worker(deed := dice.choice(JOBS))
        return f"{deed} {number}"


def test_random_payment_histories_balance_to_the_cent(db: psycopg.Connection[Any]) -> None:
    did: Counter[str] = Counter()
    for seed in range(EXAMPLES):
        dice, life, story = random.Random(seed), PaymentLife(db), [f"life {seed}"]
        life.begin(dice.choice([0, PRICE, 2 * PRICE + 5]))
        try:
            for _step in range(STEPS):
                story.append(life.step(dice))
                found = money_invariants.findings(db)
                assert found == [], f"{found} {story}"
            life.settle()
        finally:
            db.execute("rollback")
        did += life.did
    # Histories without confirmed and returned payments, and without debts, would prove nothing.
    assert (did["confirmed"] >= EXAMPLES // 2, did["returned"] >= EXAMPLES // 20) == (True, True), did
    assert min(did["granted"], did["owed"], did["recovered"], did["dispute_lost"]) >= EXAMPLES // 20, did
