"""Random days at a desk: opening, takings and transfers less refunds are always the cash that a till should hold.

A model keeps the cash of the till and the totals of the open days. MARQUEE_EXAMPLES=500 sets the number of sequences.
They are the same in each run.
"""

import os
import random
from collections import Counter

import psycopg

from tests.kit import money_invariants, packages, routines
from tests.kit.money_figures import Till

EXAMPLES = int(os.environ.get("MARQUEE_EXAMPLES", "4"))
STEPS = 40
METHODS = ["cash", "cash", "terminal"]
DEEDS = [
    "book",
    "book",
    "package",
    "invoice",
    "miss",
    "fee",
    "refund",
    "cancel",
    "pay out",
    "pay out",
    "change",
    "close",
    "night",
]


class Desk:
    """A desk whose staff act at random, and the model of its till."""

    def __init__(self, db, dice):
        self.db, self.dice = db, dice
        self.till = Till(db, capacity=None, refund_to=dice.choice(["original", "wallet"]))
        self.offers = [packages.offer(self.till), packages.money(self.till)]
        self.bookings, self.closed, self.invoiced = [], False, []
        self.cash, self.opening = 0, 0
        self.totals = Counter()

    def attempt(self, deed):
        """Do the deed. A refusal changes neither the till nor the model."""
        before = self.cash, self.opening, Counter(self.totals)
        try:
            self.do(deed)
        except (psycopg.Error, IndexError, ValueError) as error:  # nothing to do it to yet
            assert not isinstance(error, psycopg.Error) or routines.code_of(error)
            assert (self.cash, self.opening, self.totals) == before
            return False
        return True

    def count(self, kind, method, cents):
        self.totals[f"{kind} {method}"] += cents
        if method == "cash":
            self.cash += -cents if kind == "refunded" else cents

    def do(self, deed):
        till, dice, key = self.till, self.dice, str(self.dice.random())
        method = dice.choice(METHODS)
        match deed:
            case "book":
                booking = till.take(method)
                self.bookings.append(booking)
                self.count("taken", method, booking["price_cents"])
            case "package":
                query = (
                    "select payments.sell_package(package_id => %s, customer_id => %s, method => %s,"
                    " idempotency_key => %s)"
                )
                sold = till.call(query, dice.choice(self.offers)["id"], till.booker, method, key)
                self.count("taken", method, sold["price_cents"])
            case "invoice":
                booking = till.buy_with("invoice", guest=True)
                self.bookings.append(booking)
                (row,) = self.db.execute(
                    "select id from payments.invoices where booking_id = %s", [booking["id"]]
                ).fetchall()
                query = "select payments.pay_invoice_at_desk(invoice_id => %s, method => %s, idempotency_key => %s)"
                paid = till.call(query, row["id"], method, key)
                self.count("taken", method, paid["paid_cents"])
            case "miss":
                booking = dice.choice(self.bookings)
                try:
                    till.miss(booking)
                finally:
                    self.db.execute(
                        "update events.events set starts_at = now() + interval '9 d', ends_at = now() + interval '10 d'"
                    )
            case "fee":
                (row, *_) = self.db.execute("select id from payments.fees order by paid_at desc nulls first").fetchall()
                query = "select payments.pay_fee_at_desk(fee_id => %s, method => %s, idempotency_key => %s)"
                fee = till.call(query, row["id"], method, key)
                self.count("taken", method, fee["amount_cents"])
            case "refund":
                till.refund(dice.choice(self.bookings), dice.choice([1, 3333, 10000]))
            case "cancel":
                till.cancel(dice.choice(self.bookings))
            case "pay out":
                waiting = self.db.execute("select id from payments.refunds where destination = 'till'").fetchall()
                refund_id = dice.choice(waiting)["id"]
                paid = till.pay_out(refund_id)
                (row,) = self.db.execute(
                    "select method from payments.till_movements where subject_id = %s", [refund_id]
                ).fetchall()
                self.count("refunded", row["method"], paid["amount_cents"])
            case "change":
                cents = dice.choice([5000, 200, -200, -9999])
                query = (
                    "select payments.transfer_cash(organization_id => %s, amount_cents => %s, idempotency_key => %s,"
                    " note => 'Change.')"
                )
                till.call(query, till.stage.organization_id, cents, key)
                self.count("transferred", "cash", cents)
            case "close":
                counted = max(0, self.cash + dice.choice([0, 0, 70, -30]))
                deposited = dice.choice([0, counted // 2, counted])
                report = till.close(counted, deposited)
                assert report["expected_cents"] == self.cash
                assert report["difference_cents"] == counted - self.cash
                self.cash = self.opening = counted - deposited
                self.totals.clear()
            case "night":
                till.pass_night()

    def expected(self):
        """Return the report of the open days, as the model knows it."""
        return {
            "opening_cents": self.opening,
            "taken": {f"{method}_cents": self.totals[f"taken {method}"] for method in ("cash", "terminal")},
            "refunded": {f"{method}_cents": self.totals[f"refunded {method}"] for method in ("cash", "terminal")},
            "transferred_cents": self.totals["transferred cash"],
            "expected_cents": self.cash,
            "counted_cents": None,
        }


def test_report_of_a_till_equals_the_money_that_was_handled(db):
    done = Counter()
    for seed in range(EXAMPLES):
        dice, story = random.Random(seed), [f"seed {seed}"]
        desk = Desk(db, dice)
        for _ in range(STEPS):
            deed = dice.choice(DEEDS)
            if desk.attempt(deed):
                story.append(deed)
                done[deed] += 1
                report = desk.till.report()
                assert {name: report[name] for name in desk.expected()} == desk.expected(), story
        assert money_invariants.findings(db) == [], story
    assert set(DEEDS) == set(done)
