"""Sell and refund in every way, and compare the money figures of the API with the ledger.

till = Till(db)
till.refund(till.paid_by_card())
assert till.shown() == (0, {})
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import psycopg
from psycopg.types.json import Jsonb

from tests.kit import routines
from tests.kit.payments import DISPUTE, CardBookings, paid
from tests.kit.wallets import CreditBookings


@dataclass(frozen=True, slots=True)
class Kind:
    """The group of a kind of transaction, and whether its entries on the customer's accounts are spending."""

    group: Literal["sale", "credits", "settlement"]
    spent: bool = False


KINDS = {
    "sale": Kind("sale", spent=True),
    "refund": Kind("sale", spent=True),
    "package_sold": Kind("sale", spent=True),
    "package_refund": Kind("sale", spent=True),
    "no_show_fee": Kind("sale", spent=True),
    "late_cancellation_fee": Kind("sale", spent=True),
    "promotion_owed": Kind("sale", spent=True),
    "refund_by_dispute": Kind("sale", spent=True),
    "debt_forgiven": Kind("sale", spent=True),
    # It has no entry on an account of the customer, and is added by its payment.
    "dispute": Kind("sale"),
    "credits_granted": Kind("credits"),
    "credits_expired": Kind("credits"),
    "transfer": Kind("settlement"),
    "transfer_reversal": Kind("settlement"),
    "invoice_paid": Kind("settlement"),
    "fee_paid": Kind("settlement"),
    "debt_paid": Kind("settlement"),
    "payment_credited": Kind("settlement"),
    # The other kinds change no receivable account.
    "debt_recovered": Kind("sale"),
    "debt_returned": Kind("sale"),
    "payment": Kind("sale"),
    "refund_sent": Kind("sale"),
    "refund_to_wallet": Kind("sale"),
    "set_aside": Kind("sale"),
    "stripe_balance": Kind("sale"),
    "stripe_fee": Kind("sale"),
    "wallet_refund": Kind("sale"),
}
"""All kinds of transactions that the routines post."""

MOVED = """
select
    a.owner_kind::text, a.owner_id, a.type::text, a.currency, e.amount_cents, t.recorded_at,
    coalesce(o.kind, t.kind) as kind, t.id as transaction_id, i.customer_id
from payments.entries as e
inner join payments.accounts as a on a.id = e.account_id
inner join payments.transactions as t on t.id = e.transaction_id
left join payments.transactions as o on o.id = t.reverses_id
left join payments.intents as i on i.id = t.reference_id and t.reference_type = 'payment'
"""


def spent(db: psycopg.Connection[Any]) -> dict[UUID, dict[str, int]]:
    """Return each customer's spending by currency: the plain sum of their own entries, and of their disputes."""
    rows = db.execute(MOVED).fetchall()
    in_cash = {(row["transaction_id"]) for row in rows if (row["owner_kind"], row["type"]) == ("user", "cash")}
    in_credits = {row["transaction_id"] for row in rows if (row["owner_kind"], row["type"]) == ("user", "credits")}
    sums: dict[UUID, Counter[str]] = {}
    for row in rows:
        if row["kind"] == "dispute" and row["type"] == "receivable":
            sums.setdefault(row["customer_id"], Counter())[row["currency"]] -= row["amount_cents"]
        elif row["owner_kind"] == "user":
            # Cash that becomes wallet money, or the other way, is not spent yet.
            is_counted = KINDS[row["kind"]].spent and row["transaction_id"] not in in_cash & in_credits
            sums.setdefault(row["owner_id"], Counter())[row["currency"]] += row["amount_cents"] * is_counted
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
            sums[KINDS[row["kind"]].group == "settlement"] -= row["amount_cents"]
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
    """Return each figure that differs from the statement or from the plain sum. Without a fault there is none."""
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
        of_kinds = sum(m["amount_cents"] for m in said["movements"] if KINDS[m["kind"]].group != "settlement")
        if not shown[name] == said["revenue_cents"] == of_kinds == revenue:
            found.append(f"{name}: {shown[name]}, statement {said['revenue_cents']} of {of_kinds}, ledger {revenue}")
        if said["settled_cents"] != settled or (
            said["opening_cents"] + said["revenue_cents"] + said["settled_cents"] != said["closing_cents"]
        ):
            found.append(f"statement of {days} days: {said}, settled {settled}")

    plain = spent(db)
    people = db.execute("select distinct owner_id from payments.accounts where owner_kind = 'user'").fetchall()
    for person in (row["owner_id"] for row in people):
        if not db.execute("select users.is_erased(%s) as erased", [person]).fetchone()["erased"]:  # type: ignore[index]
            said = dashboard(db, person)
            if said != plain.get(person, {}):
                found.append(f"spent by {person}: {said}, ledger {plain.get(person)}")
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
        answer: dict[str, Any] = CreditBookings.book(self, self.booker, method, **more)  # type: ignore[arg-type]
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

    def miss(self, booking: dict[str, Any]) -> None:
        """Record that the customer did not come."""
        self.db.execute(
            "update events.events set starts_at = now() - interval '9 minutes', ends_at = now() + interval '1 h'"
        )
        self.call("select events.record_attendance(booking_id => %s, attended => false)", booking["id"])

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
