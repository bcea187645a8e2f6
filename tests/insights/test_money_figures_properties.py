"""Random sequences of every kind of sale and refund: analytics, statements and dashboards always equal the ledger.

MARQUEE_EXAMPLES=500 sets the number of sequences. They are the same in each run.
"""

import os
import random
from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from tests.kit import packages, routines
from tests.kit.money_figures import Till
from tests.kit.payments import DISPUTE, PRICE, dashboard_refund
from tests.kit.wallets import CreditBookings

EXAMPLES = int(os.environ.get("MARQUEE_EXAMPLES", "6"))
STEPS = 60
ZONES = ["Europe/Zurich", "America/Los_Angeles", "Pacific/Auckland", "Asia/Kathmandu"]
DAYS = [1, 5, 6, 7, 20, 28, 29, 30, 200]
CENTS = [1, 3333, 5000, PRICE]
SALES = (
    ["card"] * 4
    + ["change method"] * 2
    + ["wallet", "pass", "invoice"] * 2
    + ["comp", "buy pass", "buy pass", "buy money", "buy money", "grant"]
)
RETURNS = ["cancel", "refund", "fail", "reopen", "excess", "settle", "expire"] * 2 + ["send", "return package"]
AT_STRIPE = [
    "refund at stripe",
    "refund of package at stripe",
    "dispute",
    "lose",
    "win",
    "dispute of package",
    "dispute of package",
    "transfer",
]
AT_THE_DESK = ["miss", "miss", "come", "pay fee", "pay fee", "waive", "pay invoice", "pay invoice", "call off", "seal"]
AT_THE_TILL = [
    "cash",
    "cash",
    "terminal",
    "sell package",
    "fee into till",
    "invoice into till",
    "pay out",
    "pay out",
    "return desk package",
    "change",
    "close",
    "close",
    "night",
]
DEEDS = SALES + RETURNS + AT_STRIPE + AT_THE_DESK + AT_THE_TILL


class Business:
    """Customers and staff who act at random; refusals change nothing."""

    def __init__(self, db: psycopg.Connection[Any], dice: random.Random) -> None:
        self.db, self.dice = db, dice
        self.till = Till(
            db,
            capacity=None,
            refund_to=dice.choice(["original", "wallet"]),
            cancel_hours_before=dice.choice([0, 2160]),
            late_refund_percent=dice.choice([0, 50, 100]),
            late_fee_cents=dice.choice([0, 900, 3000]),
        )
        self.people = [self.till.booker, self.till.stage.customer()]
        self.bookings: list[Any] = []
        self.purchases: list[Any] = []
        self.sold_at_desk: list[Any] = []
        self.reports: dict[Any, dict[str, list[Any]]] = {}
        db.execute(
            "update organizations.organizations set time_zone = %s where id = %s",
            [dice.choice(ZONES), self.till.stage.organization_id],
        )
        self.offers = {
            "buy pass": [packages.offer(self.till), packages.offer(self.till, amount=2, bonus=1, valid_days=1)],
            "buy money": [packages.money(self.till), packages.money(self.till, bonus=0, valid_days=1)],
        }
        self.till.create_code("GIFT", kind="credits", amount_cents=2000, currency="CHF")
        self.till.create_code("LARGE", kind="credits", amount_cents=12000, currency="CHF")
        self.till.create_code("THIRD", kind="percent", percent_bps=3333)

    def attempt(self, deed: str) -> bool:
        """Do the deed, unless it is refused or there is nothing to do it to."""
        self.till.booker = self.dice.choice(self.people)
        try:
            self.do(deed)
        except psycopg.Error as error:
            routines.code_of(error)
            return False
        except IndexError:  # no booking, purchase, fee or refund yet
            return False
        return True

    def do(self, deed: str) -> None:
        """Do one deed."""
        till, dice = self.till, self.dice
        match deed:
            case "comp":
                query = """
                    select events.book(event_id => %s, customer_id => %s, payment_method => 'comp', guest => true,
                        idempotency_key => %s)
                """
                till.call(query, till.event_id, till.booker, str(dice.random()))
            case "card" | "wallet" | "pass" | "invoice":
                code = dice.choice([None, None, "GIFT", "LARGE", "THIRD"]) if deed != "pass" else None
                booking = till.buy_with(deed, guest=True, promo_code=code)
                self.bookings.append(booking)
                if deed == "card":
                    self.report(booking)
            case "change method":
                booking = till.buy_with("card", guest=True)
                query = "select events.change_payment_method(booking_id => %s, payment_method => %s)"
                routines.call(self.db, till.booker, query, [booking["id"], dice.choice(["wallet", "invoice"])])
                self.bookings.append(booking)
                if dice.random() < 0.5:  # The payment succeeds after the change.
                    self.report(booking)
            case "buy pass" | "buy money":
                purchase = packages.buy(till, till.booker, dice.choice(self.offers[deed]), key=str(dice.random()))
                self.purchases.append(purchase)
                packages.apply_payment(till, purchase)
            case "grant":
                till.give(till.booker, dice.choice(CENTS), dice.choice([None, "1 day"]))
            case "cancel":
                till.cancel(dice.choice(self.bookings), waive=dice.random() < 0.5)
            case "refund":
                till.refund(dice.choice(self.bookings), dice.choice(CENTS))
            case "return package":
                packages.refund(till, dice.choice(self.purchases))
            case "excess":
                booking = dice.choice(self.bookings)
                till.refund(booking, booking["price_cents"], destination="wallet")
                self.report(booking, refunds=dashboard_refund(dice.random(), booking["price_cents"]))
            case "refund at stripe":
                self.report(dice.choice(self.bookings), refunds=dashboard_refund(dice.random(), dice.choice(CENTS)))
            case "refund of package at stripe":
                paid = dice.choice(self.purchases)
                cents = dice.choice([*CENTS, paid["price_cents"]])
                self.report(paid, refunds=dashboard_refund(dice.random(), cents))
            case "dispute" | "lose" | "win" | "dispute of package":
                paid = dice.choice(self.purchases if deed == "dispute of package" else self.bookings)
                status = {"lose": "lost", "win": "won"}.get(deed, dice.choice(["needs_response", "lost", "won"]))
                cents = dice.choice([paid["price_cents"], 2500])
                self.report(
                    paid, disputes={**DISPUTE, "stripe_id": f"dp_{paid['id']}", "amount_cents": cents, "status": status}
                )
            case "send" | "fail":
                till.send_refunds("succeeded" if deed == "send" else "failed", "no account" if deed == "fail" else None)
            case "reopen" | "settle":
                wanted = "status = 'failed' and not beyond" if deed == "reopen" else "beyond"
                refund_id = dice.choice(self.ids("refunds", wanted))
                if deed == "reopen":
                    query = "select payments.reopen_refund(refund_id => %s, destination => %s)"
                    till.call(query, refund_id, dice.choice(["original", "wallet"]))
                else:
                    query = "select payments.settle_debt(refund_id => %s, outcome => %s)"
                    till.call(query, refund_id, dice.choice(["paid", "forgiven"]))
            case "miss" | "come":
                booking = dice.choice(self.bookings)
                self.start_event("-9 minutes")
                try:
                    query = "select events.record_attendance(booking_id => %s, attended => %s)"
                    till.call(query, booking["id"], deed == "come")
                finally:
                    self.start_event("10 days")
            case "pay fee" | "waive":
                fee_id = dice.choice(self.ids("fees"))
                till.call(f"select payments.{'record_fee_payment' if deed == 'pay fee' else 'waive_fee'}(%s)", fee_id)
            case "pay invoice":
                invoice_id = dice.choice(self.ids("invoices"))
                till.call("select payments.record_invoice_payment(%s)", invoice_id)
            case "cash" | "terminal":
                self.bookings.append(till.take(deed, promo_code=dice.choice([None, None, "GIFT", "THIRD"])))
            case "sell package":
                query = """
                    select payments.sell_package(
                        package_id => %s, customer_id => %s, method => %s, idempotency_key => %s
                    )
                """
                package = dice.choice([*self.offers["buy pass"], *self.offers["buy money"]])
                method = dice.choice(["cash", "terminal"])
                sold = till.call(query, package["id"], till.booker, method, str(dice.random()))
                self.sold_at_desk.append(sold)
            case "fee into till" | "invoice into till":
                kind = deed.split(maxsplit=1)[0]
                subject_id, method = dice.choice(self.ids(f"{kind}s")), dice.choice(["cash", "terminal"])
                query = f"select payments.pay_{kind}_at_desk({kind}_id => %s, method => %s, idempotency_key => %s)"
                till.call(query, subject_id, method, str(dice.random()))
            case "return desk package":
                packages.refund(till, dice.choice(self.sold_at_desk))
            case "pay out":
                till.pay_out(dice.choice(self.ids("refunds", "destination = 'till'")))
            case "change":
                query = """
                    select payments.transfer_cash(
                        organization_id => %s, amount_cents => %s, idempotency_key => %s, note => 'Change.'
                    )
                """
                till.call(query, till.stage.organization_id, dice.choice([*CENTS, -3333]), str(dice.random()))
            case "close":
                expected = till.report()["expected_cents"]
                till.close(max(0, expected + dice.choice([0, 0, -50, 20])), dice.choice([0, max(0, expected - 50)]))
            case "night":
                till.pass_night()
            case "expire":
                till.expire("2 days")
            case "transfer":
                till.transfer(f"tr_{dice.random()}", dice.choice(CENTS), dice.choice([0, 1]))
            case "call off":
                if dice.random() < 0.3:
                    till.call("select events.cancel_event(event_id => %s)", till.event_id)
                    till.event_id = till.event(capacity=None)
            case _:
                routines.call(self.db, None, "select payments.seal_entries(until => now(), most => 7)")

    def losing_changes(self) -> list[str]:
        """Return the spending that would change if every open dispute were lost."""
        query = "select s.* from unnest(%s::uuid[]) as p, payments.spending(p) as s order by p, s"
        self.db.execute("begin")
        try:
            before = self.db.execute(query, [self.people]).fetchall()
            self.till.lose_disputes()
            after = self.db.execute(query, [self.people]).fetchall()
        finally:
            self.db.execute("rollback")
        return [] if before == after else [f"{before} becomes {after}"]

    def start_event(self, starts_in: str) -> None:
        query = "update events.events set starts_at = now() + %s::interval, ends_at = now() + %s::interval + '1 h'"
        self.db.execute(query + " where organization_id = %s", [starts_in, starts_in, self.till.stage.organization_id])

    def ids(self, table: str, condition: str = "true") -> list[Any]:
        """Return the ids of the organization's rows."""
        query = f"select id from payments.{table} where organization_id = %s and {condition} order by id"
        return [row["id"] for row in self.db.execute(query, [self.till.stage.organization_id]).fetchall()]

    def report(self, paid: Any, **news: Any) -> None:
        """Let Stripe report a payment, with all its refunds and disputes so far."""
        known = {kind: list(items) for kind, items in self.reports.get(paid["id"], {}).items()}
        for kind, item in news.items():
            known[kind] = [i for i in known.get(kind, []) if i["stripe_id"] != item["stripe_id"]] + [item]
        if sum(item["amount_cents"] for item in known.get("refunds", [])) > paid["price_cents"]:
            raise IndexError  # Stripe refunds no more than was paid
        self.till.apply_payment(paid, **known)
        self.reports[paid["id"]] = known

    def age(self) -> None:
        """Move each transaction of the organization to a random day, most to the first or last minute of a period."""
        organization_id = self.till.stage.organization_id
        query = "select time_zone from organizations.organizations where id = %s"
        row = self.db.execute(query, [organization_id]).fetchone()
        assert row is not None
        zone = ZoneInfo(row["time_zone"])
        today = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        self.db.execute("alter table payments.transactions disable trigger refuse_change")
        own = """
            select e.transaction_id
            from payments.entries as e
            inner join payments.accounts as a on a.id = e.account_id
            where a.owner_id = %s
            order by e.transaction_id
        """
        for transaction_id in (row["transaction_id"] for row in self.db.execute(own, [organization_id]).fetchall()):
            # Subtract days from the local time, so that midnight stays midnight across daylight saving time.
            moment = today - timedelta(days=self.dice.choice(DAYS)) + timedelta(minutes=self.dice.choice([-1, 1, 400]))
            for table, column in (("transactions", "id"), ("unsealed_entries", "transaction_id")):
                change = f"update payments.{table} set recorded_at = %s where {column} = %s"
                self.db.execute(change, [moment, transaction_id])
        self.db.execute("alter table payments.transactions enable always trigger refuse_change")


def test_figures_equal_the_ledger_after_any_sequence(db: psycopg.Connection[Any]) -> None:
    done: Counter[str] = Counter()
    for seed in range(EXAMPLES):
        dice, story = random.Random(seed), [f"seed {seed}"]
        business = Business(db, dice)
        for step in range(STEPS):
            deed = dice.choice(DEEDS)
            if business.attempt(deed):
                story.append(deed)
                done[deed] += 1
            if step % 10 == 9:
                assert business.till.findings() == [], story
                assert business.losing_changes() == [], story
                assert CreditBookings.findings(business.till) == [], story
        if "seal" not in story:  # Seals are in the order of time.
            business.age()
            assert business.till.findings() == [], ["aged", *story]
            routines.call(db, None, "select payments.seal_entries(until => now())")
            assert business.till.findings() == [], ["aged and sealed", *story]
    # Sequences in which most deeds are refused would prove little.
    assert len(done) >= len(set(DEEDS)) - 5, done
