"""Application fees: the platform's part of a connected account's payment."""

from local.stripe.balances import moved
from local.stripe.errors import invalid
from local.stripe.identity import new_id
from local.stripe.lists import PAGE, PAGE_BY_TIME, inner, page
from local.stripe.money import written
from local.stripe.parameters import Metadata, Text, Whole, merged
from local.stripe.request_context import RequestContext
from local.stripe.routes import Given, route
from local.stripe.store import Json


@route("GET", "/v1/application_fees/{fee}")
def retrieve(work: RequestContext, _: Given, fee: str) -> Json:
    """Return a fee."""
    return work.get("application_fee", fee, "id")


@route("GET", "/v1/application_fees", {**PAGE_BY_TIME, "charge": Text()})
def list_all(work: RequestContext, given: Given) -> Json:
    """List fees, newest first."""
    return page(work, given, "application_fee", "/v1/application_fees", filters={"charge": given.get("charge")})


@route("POST", "/v1/application_fees/{fee}/refunds", {"amount": Whole(least=1), "metadata": Metadata()})
def refund(work: RequestContext, given: Given, fee: str) -> Json:
    """Refund a part of a fee to the account that paid it."""
    found = work.get("application_fee", fee, "id")
    left = found["amount"] - found["amount_refunded"]
    amount = given.get("amount", left)
    if left <= 0:
        raise invalid(f"Application fee {fee} has already been refunded.", code="charge_already_refunded")
    if amount > left:
        raise invalid(
            f"Refund amount ({written(amount, found['currency'])}) is greater than unrefunded amount on fee "
            f"({written(left, found['currency'])})",
            param="amount",
        )
    return _refunded(work, found, amount, merged({}, given.get("metadata")))


@route("GET", "/v1/application_fees/{fee}/refunds", PAGE)
def refunds(work: RequestContext, given: Given, fee: str) -> Json:
    """List the refunds of a fee."""
    found = work.get("application_fee", fee, "id")
    made = [work.get("fee_refund", each["id"]) for each in found["refunds"]["data"]]
    return inner(made, f"/v1/application_fees/{fee}/refunds", given)


def charged(work: RequestContext, payment: Json, origin: Json, amount: int) -> Json:
    """Charge a fee on a connected account's payment; `work` is that account's, `origin` the charge behind it."""
    platform = work.on(work.platform)
    fee = new_id("fee", 24)
    booked = moved(platform, "application_fee", amount, payment["currency"], fee, description="Application fee")
    made: Json = {
        "id": fee,
        "object": "application_fee",
        "account": work.account,
        "amount": amount,
        "amount_refunded": 0,
        "application": f"ca_{work.platform.removeprefix('acct_')}",
        "balance_transaction": booked["id"],
        "charge": payment["id"],
        "created": work.now,
        "currency": payment["currency"],
        "fee_source": {"charge": payment["id"], "type": "charge"},
        "livemode": False,
        "originating_transaction": None if origin is payment else origin["id"],
        "refunded": False,
        "refunds": {"object": "list", "data": [], "has_more": False, "url": f"/v1/application_fees/{fee}/refunds"},
    }
    platform.add(made)
    payment["application_fee"] = origin["application_fee"] = fee
    work.save(payment)
    platform.emit("application_fee.created", made)
    return made


def give_back_in_proportion(work: RequestContext, charge: Json, amount: int) -> None:
    """Refund as much of the fee as is refunded of the charge."""
    platform = work.on(work.platform)
    fee = platform.get("application_fee", charge["application_fee"])
    part = fee["amount"] * amount // charge["amount"]
    if charge["refunded"]:
        part = fee["amount"] - fee["amount_refunded"]
    part = min(part, fee["amount"] - fee["amount_refunded"])
    if part > 0:
        _refunded(platform, fee, part, {})


def _refunded(work: RequestContext, fee: Json, amount: int, metadata: dict[str, str]) -> Json:
    made: Json = {
        "id": new_id("fr"),
        "object": "fee_refund",
        "amount": amount,
        "balance_transaction": None,
        "created": work.now,
        "currency": fee["currency"],
        "fee": fee["id"],
        "metadata": metadata,
    }
    made["balance_transaction"] = moved(
        work, "application_fee_refund", -amount, fee["currency"], made["id"], description="Application fee refund"
    )["id"]
    work.add(made)
    moved(
        work.on(fee["account"]),
        "adjustment",
        amount,
        fee["currency"],
        made["id"],
        description="Application fee refund",
        category="other_adjustment",
    )
    fee["amount_refunded"] += amount
    fee["refunded"] = fee["amount_refunded"] == fee["amount"]
    fee["refunds"]["data"].insert(0, dict(made))
    work.emit("application_fee.refunded", fee)
    return made
