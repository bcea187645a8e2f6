"""Payouts from a balance to a bank account: in transit, paid, failed."""

from local.stripe.account_shapes import bank_account
from local.stripe.accounts import of
from local.stripe.balances import available, moved
from local.stripe.clock import DAY_SECONDS
from local.stripe.errors import invalid
from local.stripe.identity import new_id
from local.stripe.lists import PAGE_BY_TIME, page
from local.stripe.money import currency
from local.stripe.parameters import Choice, Metadata, Span, Text, Whole, merged
from local.stripe.request_context import RequestContext
from local.stripe.routes import Given, route
from local.stripe.store import Json

FAILURES = {
    "account_closed": "The bank account has been closed",
    "account_frozen": "The bank account has been frozen",
    "could_not_process": "The bank could not process this payout.",
    "declined": "The bank has declined this transfer. Please contact the bank before retrying.",
    "insufficient_funds": "Your Stripe account has insufficient funds to cover the payout.",
    "no_account": "The bank account details on file are probably incorrect. No bank account could be located with "
    "those "
    "details.",
}
STATUSES = ("pending", "in_transit", "paid", "failed", "canceled")


@route(
    "POST",
    "/v1/payouts",
    {
        "amount": Whole(least=1, needed=True),
        "currency": Text(longest=3, needed=True),
        "description": Text(clears=True),
        "destination": Text(),
        "metadata": Metadata(),
        "method": Choice(words=("standard", "instant")),
        "source_type": Choice(words=("card", "bank_account", "fpx")),
        "statement_descriptor": Text(longest=22),
    },
)
def create(work: RequestContext, given: Given) -> Json:
    """Pay out an available amount."""
    account = of(work, work.account)
    if not account["payouts_enabled"]:
        raise invalid("Payouts are not enabled for this account.", code="payouts_not_allowed")
    code = currency(given["currency"])
    if given["amount"] > available(work, code):
        raise invalid(
            "You have insufficient funds in your Stripe account for this transfer. Your card balance is too low. You "
            "can "
            "use the the /v1/balance endpoint to view your Stripe balance (for more details, see "
            "stripe.com/docs/api#balance).",
            code="balance_insufficient",
        )
    made = _new(work, given, code, _bank(work, account, given.get("destination")))
    made["balance_transaction"] = moved(
        work, "payout", -made["amount"], code, made["id"], description="STRIPE PAYOUT", at_once=True
    )["id"]
    work.add(made)
    work.emit("payout.created", made)
    work.later(work.pace.payout_seconds, "payout_arrives", made["id"])
    return made


@route("GET", "/v1/payouts/{id}")
def retrieve(work: RequestContext, _: Given, id: str) -> Json:
    """Return a payout."""
    return work.get("payout", id, "payout")


@route(
    "GET",
    "/v1/payouts",
    {**PAGE_BY_TIME, "arrival_date": Span(), "destination": Text(), "status": Choice(words=STATUSES)},
)
def list_all(work: RequestContext, given: Given) -> Json:
    """List payouts, newest first."""
    filters = {name: given.get(name) for name in ("destination", "status")}
    return page(work, given, "payout", "/v1/payouts", filters=filters)


@route("POST", "/v1/payouts/{id}", {"metadata": Metadata()})
def update(work: RequestContext, given: Given, id: str) -> Json:
    """Change the metadata of a payout."""
    found = work.get("payout", id, "payout")
    if "metadata" in given:
        found["metadata"] = merged(found["metadata"], given["metadata"])
    work.emit("payout.updated", found)
    return found


@route("POST", "/v1/payouts/{id}/cancel")
def cancel(work: RequestContext, _: Given, id: str) -> Json:
    """Cancel a payout that was not sent yet."""
    found = work.get("payout", id, "payout")
    if found["status"] != "pending":
        raise invalid(f"Payouts with a status of {found['status']} cannot be canceled; only pending ones can.")
    found["status"] = "canceled"
    found["failure_balance_transaction"] = _back(work, found, "payout_cancel")
    work.emit("payout.canceled", found)
    return found


def arrived(work: RequestContext, id: str) -> Json:
    """Mark a payout as paid."""
    found = work.get("payout", id)
    if found["status"] in ("pending", "in_transit"):
        found["status"] = "paid"
        work.emit("payout.paid", found)
    return found


def failed(work: RequestContext, id: str, code: str = "account_closed") -> Json:
    """Fail a payout that the bank returned, even days after it was paid."""
    if code not in FAILURES:
        raise invalid(f"Invalid failure_code: must be one of {', '.join(FAILURES)}", param="failure_code")
    found = work.get("payout", id)
    if found["status"] not in ("failed", "canceled"):
        found |= {"status": "failed", "failure_code": code, "failure_message": FAILURES[code]}
        found["failure_balance_transaction"] = _back(work, found, "payout_failure")
        work.emit("payout.failed", found)
    return found


def _back(work: RequestContext, found: Json, type: str) -> str:
    booked = moved(
        work, type, found["amount"], found["currency"], found["id"], description="STRIPE PAYOUT FAILURE", at_once=True
    )
    return str(booked["id"])


def _bank(work: RequestContext, account: Json, wanted: str | None) -> str:
    """Return the bank account for a payout: the requested one, or the first; the platform's is created on demand."""
    if wanted is not None:
        found = work.find("bank_account", wanted)
        if found is None:
            raise invalid(f"No such external account: '{wanted}'", code="resource_missing", param="destination")
        return wanted
    row = work.store.row(
        "select id from objects where account = ? and kind = 'bank_account' order by place limit 1", (work.account,)
    )
    if row is not None:
        return str(row["id"])
    made = bank_account(work.account, account["country"], account["default_currency"])
    return str(work.add(made)["id"])


def _new(work: RequestContext, given: Given, code: str, bank: str) -> Json:
    midnight = work.now - work.now % DAY_SECONDS
    return {
        "id": new_id("po"),
        "object": "payout",
        "amount": given["amount"],
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": midnight + int(work.pace.payout_seconds),
        "automatic": False,
        "balance_transaction": None,
        "created": work.now,
        "currency": code,
        "description": given.get("description"),
        "destination": bank,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": merged({}, given.get("metadata")),
        "method": given.get("method", "standard"),
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "not_applicable",
        "reversed_by": None,
        "source_type": given.get("source_type", "card"),
        "statement_descriptor": given.get("statement_descriptor"),
        "status": "pending",
        "trace_id": None,
        "type": "bank_account",
    }
