"""Balance transactions and the balance that they add up to."""

from typing import Any

from local.stripe.clock import DAY_SECONDS
from local.stripe.errors import invalid
from local.stripe.identity import new_id
from local.stripe.lists import PAGE_BY_TIME, page
from local.stripe.money import CURRENCY, currency
from local.stripe.parameters import Text
from local.stripe.request_context import RequestContext
from local.stripe.routes import Given, route
from local.stripe.store import Json

CATEGORIES = {
    "charge": "charge",
    "payment": "charge",
    "refund": "refund",
    "payment_refund": "refund",
    "refund_failure": "refund_failure",
    "payment_failure_refund": "refund_failure",
    "transfer": "transfer",
    "transfer_refund": "transfer_reversal",
    "payout": "payout",
    "payout_failure": "payout_reversal",
    "payout_cancel": "payout_reversal",
    "application_fee": "platform_earning",
    "application_fee_refund": "platform_earning_refund",
    "stripe_fee": "fee",
    "adjustment": "other_adjustment",
}
BY_ITSELF = ("adjustment", "stripe_fee")
FEE_PER_MILLE = 29
FEE_FIXED = 30


def processing_fee(amount: int) -> int:
    """Return Stripe's fee for an amount: 2.9 % and 30, rounded to the nearest."""
    return (amount * FEE_PER_MILLE + 500) // 1000 + FEE_FIXED


def fee_detail(amount: int, code: str, type: str = "stripe_fee") -> Json:
    """Return one component of a fee."""
    descriptions = {"stripe_fee": "Stripe processing fees", "application_fee": "Application fee"}
    return {
        "amount": amount,
        "application": None,
        "currency": code,
        "description": descriptions.get(type),
        "type": type,
    }


def moved(
    work: RequestContext,
    type: str,
    amount: int,
    code: str,
    source: str | None,
    *,
    fees: list[Json] | None = None,
    description: str | None = None,
    at_once: bool = False,
    category: str | None = None,
) -> Json:
    """Record a movement of money: `amount` is signed, fees are deducted. `at_once`: it is available now."""
    fees = [fee for fee in fees or [] if fee["amount"]]
    fee = sum(each["amount"] for each in fees)
    midnight = work.now - work.now % DAY_SECONDS
    available_on = work.now if at_once else midnight + work.pace.available_days * DAY_SECONDS
    made: Json = {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": available_on,
        "balance_type": "payments",
        "created": work.now,
        "currency": code,
        "description": description,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": fees,
        "net": amount - fee,
        "reporting_category": category or CATEGORIES[type],
        "source": source,
        "status": "available" if at_once else "pending",
        "type": type,
    }
    work.store.run(
        "insert into movements (account, currency, net, available_on) values (?, ?, ?, ?)",
        (work.account, code, made["net"], available_on),
    )
    return work.add(made)


def moved_by_itself(work: RequestContext, given: Given) -> Json:
    """Record a movement without an operation: Stripe's fee for another service, an adjustment."""
    if given.get("type") not in BY_ITSELF:
        raise invalid(f"Invalid type: must be one of {', '.join(BY_ITSELF)}", param="type")
    return moved(
        work, given["type"], int(given["amount"]), currency(given["currency"]), None,
        description=given.get("description"), at_once=True,
    )  # fmt: skip


def available(work: RequestContext, code: str) -> int:
    """Return the amount that an account may transfer or pay out now."""
    row = work.store.row(
        "select coalesce(sum(net), 0) as n from movements where account = ? and currency = ? and available_on <= ?",
        (work.account, code, work.now),
    )
    return 0 if row is None else int(row["n"])


@route("GET", "/v1/balance")
def balance(work: RequestContext, _: Given) -> Json:
    """Return the available and the pending balance."""
    rows = work.store.rows(
        "select currency, sum(net) as total, sum(case when available_on <= ? then net else 0 end) as ready "
        "from movements where account = ? group by currency order by currency",
        (work.now, work.account),
    )
    sums = [(row["currency"], row["ready"], row["total"] - row["ready"]) for row in rows] or [("chf", 0, 0)]

    def amount(value: int, code: str) -> dict[str, Any]:
        return {"amount": value, "currency": code, "source_types": {"card": value}}

    return {
        "object": "balance",
        "available": [amount(ready, code) for code, ready, _ in sums],
        "connect_reserved": [{"amount": 0, "currency": code} for code, _, _ in sums],
        "livemode": False,
        "pending": [amount(waiting, code) for code, _, waiting in sums],
        "refund_and_dispute_prefunding": {
            "available": [amount(0, code) for code, _, _ in sums],
            "pending": [amount(0, code) for code, _, _ in sums],
        },
    }


@route("GET", "/v1/balance_transactions/{id}")
def retrieve(work: RequestContext, _: Given, id: str) -> Json:
    """Return a movement."""
    return work.get("balance_transaction", id, "id")


@route(
    "GET",
    "/v1/balance_transactions",
    {**PAGE_BY_TIME, "currency": CURRENCY, "source": Text(), "type": Text(), "payout": Text()},
)
def list_all(work: RequestContext, given: Given) -> Json:
    """List movements, newest first."""
    filters = {name: given.get(name) for name in ("currency", "source", "type")}
    if "payout" in given:
        work.get("payout", given["payout"], "payout")
        raise invalid(
            "Balance transaction history can only be filtered on automatic transfers, not manual.", param="payout"
        )
    return page(work, given, "balance_transaction", "/v1/balance_transactions", filters=filters)
