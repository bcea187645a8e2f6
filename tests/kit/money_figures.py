"""Sell and refund in every way, and compare the money figures of the API with the ledger.

till = Till(db)
till.refund(till.paid_by_card())
assert till.shown() == (0, {})
"""

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import psycopg
from psycopg.types.json import Jsonb

from tests.kit import routines
from tests.kit.payments import DISPUTE, CardBookings, paid
from tests.kit.wallets import CreditBookings

KINDS = {
    "sale": "sale",
    "refund": "sale",
    "package_sold": "sale",
    "package_refund": "sale",
    "no_show_fee": "sale",
    "late_cancellation_fee": "sale",
    "promotion_owed": "sale",
    "promotion_share": "sale",
    "refund_by_dispute": "sale",
    "debt_forgiven": "sale",
    "dispute": "sale",
    "credits_granted": "credits",
    "credits_expired": "credits",
    "transfer": "settlement",
    "transfer_reversal": "settlement",
    "invoice_paid": "settlement",
    "fee_paid": "settlement",
    "debt_paid": "settlement",
    "payment_credited": "settlement",
    "desk_payment": "settlement",
    "desk_refund": "settlement",
    # The other kinds change no receivable account.
    "debt_recovered": "sale",
    "debt_returned": "sale",
    "payment": "sale",
    "refund_sent": "sale",
    "refund_to_wallet": "sale",
    "set_aside": "sale",
    "stripe_balance": "sale",
    "stripe_fee": "sale",
    "till_deposit": "sale",
    "till_difference": "sale",
    "till_refund": "sale",
    "till_taking": "sale",
    "till_transfer": "sale",
    "wallet_refund": "sale",
}
"""All kinds of transactions that the routines post, and their groups."""

MOVED = """
select e.amount_cents, t.recorded_at, coalesce(o.kind, t.kind) as kind
from payments.entries as e
inner join payments.accounts as a on a.id = e.account_id
inner join payments.transactions as t on t.id = e.transaction_id
left join payments.transactions as o on o.id = t.reverses_id
"""


PRICES = """
select s.customer_id, s.currency, s.amount_cents - s.refunded_cents as cents from payments.sales as s
union all
select p.customer_id, p.currency, p.amount_cents - p.refunded_cents
from payments.purchases as p
where p.kind = 'pass' and p.status in ('granted', 'refunded')
union all
select f.customer_id, f.currency, f.amount_cents from payments.fees as f where f.taken_back_at is null
union all
select r.customer_id, r.currency, r.amount_cents from payments.refunds as r where r.cause = 'promotion'
union all
select r.customer_id, r.currency, r.recovered_cents - r.amount_cents
from payments.refunds as r
where r.debt_outcome = 'forgiven' and r.status <> 'failed'
"""
"""The unrefunded prices of bookings, passes and fees, and promo credits that are owed, less debts written off."""

DISPUTED = """
select
    i.id, i.customer_id, i.currency, i.amount_cents, p.kind = 'wallet' as is_wallet,
    payments.refundable_cents(i) as refundable_cents,
    array(
        select jsonb_build_object('cents', d.amount_cents, 'currency', d.currency, 'lost', d.status = 'lost')
        from payments.disputes as d
        where d.intent_id = i.id and d.withdrawn
    ) as withdrawals,
    array(
        select jsonb_build_object('cents', r.amount_cents, 'to', r.destination)
        from payments.refunds as r
        where
            r.intent_id = i.id
            and (
                r.destination = 'dispute'
                or (r.destination = 'original' and r.status in ('created', 'failed') and not r.beyond)
            )
    ) as refunds
from payments.intents as i
left join payments.purchases as p on p.id = i.purchase_id
where exists (select from payments.disputes as d where d.intent_id = i.id and d.withdrawn)
"""
"""The payments that a bank has taken back, with refunds that were not sent, and those that the bank's money paid."""


def spent(db: psycopg.Connection[Any]) -> dict[UUID, dict[str, int]]:
    """Return each customer's spending by currency, without the ledger.

    It is the unrefunded price of bookings, passes and fees, less the part of it that a bank took back.
    """
    sums: dict[UUID, Counter[str]] = {}
    for row in db.execute(PRICES).fetchall():
        sums.setdefault(row["customer_id"], Counter())[row["currency"]] += row["cents"]
    for row in db.execute(DISPUTED).fetchall():
        of_person = sums.setdefault(row["customer_id"], Counter())
        taken = 0
        for withdrawal in row["withdrawals"]:
            # A dispute in another currency is about the whole payment.
            taken += withdrawal["cents"] if withdrawal["currency"] == row["currency"] else row["amount_cents"]
            of_person[withdrawal["currency"]] -= withdrawal["cents"]
        paid_by_bank = sum(refund["cents"] for refund in row["refunds"] if refund["to"] == "dispute")
        unsent = sum(refund["cents"] for refund in row["refunds"] if refund["to"] == "original")
        rest = taken - paid_by_bank
        if not all(withdrawal["lost"] for withdrawal in row["withdrawals"]):
            # The bank's money first pays the refunds that were not sent, and the customer owes what exceeds the sale.
            rest = max(0, min(rest - unsent, 0 if row["is_wallet"] else row["refundable_cents"]))
        of_person[row["currency"]] += taken - rest
    return {
        customer_id: {currency: cents for currency, cents in by_currency.items() if cents}
        for customer_id, by_currency in sums.items()
    }


def earned(db: psycopg.Connection[Any], organization_id: UUID, since: datetime | None = None) -> tuple[int, int]:
    """Return the plain sums of an organization's revenue and settlements in Swiss francs, since a moment."""
    rows = db.execute(
        MOVED + " where a.owner_id = %s and a.type = 'receivable' and a.currency = 'CHF'", [organization_id]
    ).fetchall()
    sums = Counter({True: 0, False: 0})
    for row in rows:
        if since is None or row["recorded_at"] >= since:
            sums[KINDS[row["kind"]] == "settlement"] -= row["amount_cents"]
    return sums[False], sums[True]


def analytics(db: psycopg.Connection[Any], organization_id: UUID, owner: UUID) -> dict[str, Any]:
    """Return the organization's analytics, as its owner sees them."""
    query = "select events.organization_analytics(organization_id => %s)"
    answer: dict[str, Any] = routines.call(db, owner, query, [organization_id])
    return answer


def statement(
    db: psycopg.Connection[Any], organization_id: UUID, owner: UUID, first_day: date, last_day: date
) -> dict[str, Any]:
    """Return the organization's statement of these days, as its owner sees it."""
    query = "select payments.organizer_statement(organization_id => %s, first_day => %s, last_day => %s)"
    answer: dict[str, Any] = routines.call(db, owner, query, [organization_id, first_day, last_day])
    return answer


def dashboard(db: psycopg.Connection[Any], customer_id: UUID) -> dict[str, int]:
    """Return a customer's spending by currency, as they see it."""
    answer = routines.call(db, customer_id, "select events.customer_dashboard()")
    return {item["currency"]: item["amount_cents"] for item in answer["spent"]}


def findings(db: psycopg.Connection[Any], organization_id: UUID, owner: UUID) -> list[str]:
    """Return each figure that differs from the statement, the ledger or the documents."""
    found = []
    row = db.execute("select time_zone from organizations.organizations where id = %s", [organization_id]).fetchone()
    assert row is not None
    zone = ZoneInfo(row["time_zone"])
    now = db.execute("select now() as now").fetchone()
    assert now is not None
    today = now["now"].astimezone(zone).date()
    shown = analytics(db, organization_id, owner)
    for name, days in (("revenue_7_days_cents", 7), ("revenue_30_days_cents", 30), ("revenue_total_cents", 367)):
        first_day = today - timedelta(days=days - 1)
        said = statement(db, organization_id, owner, first_day, today)
        since = datetime(first_day.year, first_day.month, first_day.day, tzinfo=zone)
        revenue, settled = earned(db, organization_id, since)
        of_kinds = sum(m["amount_cents"] for m in said["movements"] if KINDS[m["kind"]] != "settlement")
        if not shown[name] == said["revenue_cents"] == of_kinds == revenue:
            found.append(f"{name}: {shown[name]}, statement {said['revenue_cents']} of {of_kinds}, ledger {revenue}")
        if said["settled_cents"] != settled or (
            said["opening_cents"] + said["revenue_cents"] + said["settled_cents"] != said["closing_cents"]
        ):
            found.append(f"statement of {days} days: {said}, settled {settled}")

    known = spent(db)
    erased = {row["id"] for row in db.execute("select p.id from users.profiles as p where users.is_erased(p.id)")}
    people = db.execute("select distinct owner_id from payments.accounts where owner_kind = 'user'").fetchall()
    for person in (row["owner_id"] for row in people):
        if person not in erased:
            said = dashboard(db, person)
            if said != known.get(person, {}):
                found.append(f"spent by {person}: {said}, documents {known.get(person)}")
    return found


class Till(CardBookings):
    """An event that costs 100.00, a customer, and every way to pay and to return money."""

    give = CreditBookings.give
    give_pass = CreditBookings.give_pass
    expire = CreditBookings.expire

    def __init__(self, db: psycopg.Connection[Any], **policy: Any) -> None:
        super().__init__(db, **policy)
        self.owner, self.booker = self.stage.owner, self.stage.customer()
        db.execute(
            "insert into organizations.payout_settings (organization_id, invoices_allowed) values (%s, true)",
            [self.stage.organization_id],
        )
        db.execute(
            "insert into organizations.payout_accounts (organization_id, stripe_account_id) values (%s, %s)",
            [self.stage.organization_id, f"acct_{self.stage.organization_id}"],
        )

    def call(self, query: str, *params: Any) -> Any:
        """Return the result of a routine, called as the owner."""
        return routines.call(self.db, self.owner, query, params)

    def buy_with(self, method: str, **more: Any) -> dict[str, Any]:
        """Book as the customer, by any method."""
        answer: dict[str, Any] = CreditBookings.book(self, self.booker, method, **more)
        return answer

    def paid_by_card(self) -> dict[str, Any]:
        """Book as the customer, and let Stripe report the payment."""
        booking: dict[str, Any] = paid(self, self.booker)
        return booking

    def refund(self, booking: dict[str, Any], cents: int | None = None, destination: str = "original") -> None:
        """Refund a booking as staff, in part or completely."""
        query = """
            select payments.refund_booking(
                booking_id => %s, amount_cents => %s, destination => %s, idempotency_key => %s
            )
        """
        self.call(query, booking["id"], cents, destination, uuid4().hex)

    def dispute(self, booking: dict[str, Any], status: str = "lost", **changes: Any) -> None:
        """Let Stripe report a dispute of a booking's payment."""
        self.apply_payment(booking, disputes=[{**DISPUTE, "status": status, **changes}])

    def lose_disputes(self) -> None:
        """Let every open dispute be lost."""
        query = """
            select
                i.id,
                array(
                    select jsonb_build_object(
                        'stripe_id', d.stripe_dispute_id, 'amount_cents', d.amount_cents, 'currency', d.currency,
                        'reason', d.reason, 'status', 'lost'
                    )
                    from payments.disputes as d
                    where d.intent_id = i.id and d.withdrawn
                ) as lost
            from payments.intents as i
            where payments.is_withdrawn(i.id)
        """
        for intent in self.db.execute(query).fetchall():
            apply = "select payments.apply_disputes(i, %s) from payments.intents as i where i.id = %s"
            self.db.execute(apply, [Jsonb(intent["lost"]), intent["id"]])

    def miss(self, booking: dict[str, Any]) -> None:
        """Record that the customer did not come."""
        self.db.execute(
            "update events.events set starts_at = now() - interval '9 minutes', ends_at = now() + interval '1 h'"
        )
        self.call("select events.record_attendance(booking_id => %s, attended => false)", booking["id"])

    def take(self, method: str, **more: Any) -> dict[str, Any]:
        """Book for the customer as the owner, who takes the money at the desk."""
        query = """
            select events.book(
                event_id => %(event_id)s, customer_id => %(customer_id)s, payment_method => %(method)s,
                idempotency_key => %(key)s, guest => %(guest)s, promo_code => %(promo_code)s
            )::jsonb
        """
        given = {"customer_id": self.booker, "method": method, "key": uuid4().hex, "guest": True, "promo_code": None}
        with_event = {"event_id": self.event_id, **given, **more}
        answer: dict[str, Any] = routines.call(self.db, self.owner, query, with_event)
        return answer

    def pay_out(self, refund_id: UUID) -> dict[str, Any]:
        """Pay a refund out of the till as the owner."""
        query = "select payments.pay_out_refund(refund_id => %s, idempotency_key => %s)"
        answer: dict[str, Any] = self.call(query, refund_id, uuid4().hex)
        return answer

    def report(self) -> dict[str, Any]:
        """Return the till's report of the current day."""
        answer: dict[str, Any] = self.call("select payments.read_till(%s)", self.stage.organization_id)
        return answer

    def close(self, counted_cents: int, deposited_cents: int = 0) -> dict[str, Any]:
        """Close the current day of the till."""
        query = "select payments.close_till(organization_id => %s, counted_cents => %s, deposited_cents => %s)"
        answer: dict[str, Any] = self.call(query, self.stage.organization_id, counted_cents, deposited_cents)
        return answer

    def pass_night(self) -> None:
        """Make every day of the till a day older."""
        for table, days in (("till_movements", ["day"]), ("till_closings", ["day", "first_day"])):
            self.db.execute(f"alter table payments.{table} disable trigger refuse_till_change")
            for shift in (-100_000, 99_999):  # two steps, so that no day meets its neighbour
                moved = ", ".join(f"{column} = {column} + {shift}" for column in days)
                self.db.execute(f"update payments.{table} set {moved}")
            self.db.execute(f"alter table payments.{table} enable always trigger refuse_till_change")

    def fee_id(self) -> UUID:
        """Return the id of the last fee."""
        row = self.db.execute("select id from payments.fees order by charged_at desc").fetchone()
        assert row is not None
        fee_id: UUID = row["id"]
        return fee_id

    def create_code(self, code: str, **terms: Any) -> None:
        """Create a promo code."""
        named = "".join(f", {name} => %s" for name in terms)
        query = f"select payments.create_promo_code(organization_id => %s, code => %s{named})"
        self.call(query, self.stage.organization_id, code, *terms.values())

    def transfer(self, stripe_id: str, cents: int, returned_cents: int = 0) -> None:
        """Let Stripe report a transfer to the organization, and its reversal."""
        facts = {
            "stripe_id": stripe_id,
            "account_id": f"acct_{self.stage.organization_id}",
            "amount_cents": cents,
            "currency": "chf",
            "reversals": [{"stripe_id": f"{stripe_id}_back", "amount_cents": returned_cents}] * (returned_cents > 0),
        }
        routines.call(self.db, None, "select payments.apply_transfer(%s)", [Jsonb(facts)])

    def findings(self) -> list[str]:
        """Return each figure that differs from the statement or from the ledger."""
        return findings(self.db, self.stage.organization_id, self.owner)

    def shown(self) -> tuple[int, dict[str, int]]:
        """Return revenue and spending as the API shows them, after comparing them with the ledger."""
        assert self.findings() == []
        figures = analytics(self.db, self.stage.organization_id, self.owner)
        return figures["revenue_total_cents"], dashboard(self.db, self.booker)
