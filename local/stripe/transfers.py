"""Transfers to connected accounts, and their reversals."""

from local.stripe.balances import available, fee_detail, moved
from local.stripe.destinations import receiving
from local.stripe.errors import invalid, malformed
from local.stripe.identity import new_id
from local.stripe.lists import PAGE, PAGE_BY_TIME, belonging, inner, page
from local.stripe.money import currency, written
from local.stripe.parameters import Flag, Metadata, Text, Whole, merged, missing
from local.stripe.payment_methods import NO_ADDRESS
from local.stripe.request_context import RequestContext
from local.stripe.routes import Given, route
from local.stripe.store import Json


@route(
    "POST",
    "/v1/transfers",
    {
        "amount": Whole(least=1),
        "currency": Text(longest=3, needed=True),
        "description": Text(clears=True),
        "destination": Text(needed=True),
        "metadata": Metadata(),
        "source_transaction": Text(),
        "transfer_group": Text(),
    },
)
def create(work: RequestContext, given: Given) -> Json:
    """Transfer money to a connected account.

    It comes from the available balance, or from one charge, even before its money is available.
    """
    code = currency(given["currency"])
    receiving(work, given["destination"], "destination")
    charge = None
    if "source_transaction" in given:
        charge = _source(work, given["source_transaction"], code)
    elif "amount" not in given:
        raise missing("amount")
    amount: int = given["amount"] if charge is None or "amount" in given else charge["amount_captured"]
    if charge is not None:
        _refuse_more_than_source(work, charge, amount)
    elif amount > available(work, code):
        raise invalid(
            "You have insufficient available funds in your Stripe account. Try adding funds directly to your available "
            "balance by creating Charges using the 4000000000000077 test card. See: "
            "https://stripe.com/docs/testing#available-balance",
            code="balance_insufficient",
        )
    return _made(work, amount, code, given["destination"], charge, given)


@route("GET", "/v1/transfers/{id}")
def retrieve(work: RequestContext, _: Given, id: str) -> Json:
    """Return a transfer."""
    return work.get("transfer", id, "transfer")


@route("GET", "/v1/transfers", {**PAGE_BY_TIME, "destination": Text(), "transfer_group": Text()})
def list_all(work: RequestContext, given: Given) -> Json:
    """List transfers, newest first."""
    filters = {name: given.get(name) for name in ("destination", "transfer_group")}
    return page(work, given, "transfer", "/v1/transfers", filters=filters)


@route("POST", "/v1/transfers/{id}", {"description": Text(clears=True), "metadata": Metadata()})
def update(work: RequestContext, given: Given, id: str) -> Json:
    """Change the description of a transfer."""
    found = work.get("transfer", id, "transfer")
    if "description" in given:
        found["description"] = given["description"]
    if "metadata" in given:
        found["metadata"] = merged(found["metadata"], given["metadata"])
    work.emit("transfer.updated", found)
    return found


@route(
    "POST",
    "/v1/transfers/{id}/reversals",
    {
        "amount": Whole(least=1),
        "description": Text(clears=True),
        "metadata": Metadata(),
        "refund_application_fee": Flag(),
    },
)
def reverse(work: RequestContext, given: Given, id: str) -> Json:
    """Reverse a transfer, or a part of it."""
    found = work.get("transfer", id, "transfer")
    left = found["amount"] - found["amount_reversed"]
    amount = given.get("amount", left)
    if left <= 0:
        raise invalid(f"Transfer {id} has already been reversed.")
    if amount > left:
        raise invalid(
            f"Reversal amount ({written(amount, found['currency'])}) is greater than unreversed amount on transfer "
            f"({written(left, found['currency'])})",
            param="amount",
        )
    return _reversed(work, found, amount, merged({}, given.get("metadata")), None)


@route("GET", "/v1/transfers/{id}/reversals", PAGE)
def reversals(work: RequestContext, given: Given, id: str) -> Json:
    """List the reversals of a transfer."""
    work.get("transfer", id, "transfer")
    return inner(belonging(work, "transfer_reversal", "transfer", id), f"/v1/transfers/{id}/reversals", given)


@route("GET", "/v1/transfers/{id}/reversals/{reversal}")
def reversal(work: RequestContext, _: Given, id: str, reversal: str) -> Json:
    """Return a reversal."""
    work.get("transfer", id, "transfer")
    return work.get("transfer_reversal", reversal, "id")


@route("POST", "/v1/transfers/{id}/reversals/{reversal}", {"metadata": Metadata()})
def update_reversal(work: RequestContext, given: Given, id: str, reversal: str) -> Json:
    """Change the metadata of a reversal."""
    work.get("transfer", id, "transfer")
    found = work.get("transfer_reversal", reversal, "id")
    if "metadata" in given:
        found["metadata"] = merged(found["metadata"], given["metadata"])
    return work.save(found)


def to_destination(work: RequestContext, charge: Json) -> None:
    """Create the transfer of a charge with a destination; the application's fee is deducted there."""
    data = charge["transfer_data"]
    amount = data.get("amount")
    amount = charge["amount_captured"] if amount is None else amount
    if amount:
        _made(work, amount, charge["currency"], data["destination"], charge, {}, whole=True)


def reverse_in_proportion(work: RequestContext, charge: Json, refund: Json) -> str:
    """Reverse as much of a charge's transfer as is refunded of the charge. Returns the reversal's id."""
    found = work.get("transfer", charge["transfer"])
    part = found["amount"] * refund["amount"] // charge["amount"]
    left = found["amount"] - found["amount_reversed"]
    part = left if charge["refunded"] else min(part, left)
    if part <= 0:
        raise invalid(f"Transfer {found['id']} has already been reversed.", param="reverse_transfer")
    return str(_reversed(work, found, part, {}, refund["id"])["id"])


def _source(work: RequestContext, id: str, code: str) -> Json:
    charge = work.get("charge", id, "source_transaction")
    if charge["status"] != "succeeded" or not charge["captured"]:
        raise invalid(
            f"Charge {id} has not been paid, and cannot be a source of transfers.", param="source_transaction"
        )
    if charge["currency"] != code:
        raise malformed(
            f"The currency of source_transaction's balance transaction ({charge['currency']}) must be the same as the "
            f"transfer currency ({code})",
            param="currency",
        )
    return charge


def _refuse_more_than_source(work: RequestContext, charge: Json, amount: int) -> None:
    used = sum(each["amount"] for each in belonging(work, "transfer", "source_transaction", charge["id"]))
    if used + amount > charge["amount_captured"]:
        code = charge["currency"]
        raise invalid(
            "Transfers using this transaction as a source must not exceed the source amount of "
            f"{written(charge['amount_captured'], code)}. (There are already existing transfers using this source, "
            f"amounting to a total of {written(used, code)}.)",
            param="amount",
        )


def _made(
    work: RequestContext,
    amount: int,
    code: str,
    destination: str,
    charge: Json | None,
    given: Given,
    *,
    whole: bool = False,
) -> Json:
    group = given.get("transfer_group")
    if charge is not None:
        if charge["transfer_group"] is None:
            charge["transfer_group"] = group or f"group_{charge['payment_intent']}"
        group = group or charge["transfer_group"]
    made: Json = {
        "id": new_id("tr"),
        "object": "transfer",
        "amount": amount,
        "amount_reversed": 0,
        "balance_transaction": None,
        "created": work.now,
        "currency": code,
        "description": given.get("description"),
        "destination": destination,
        "destination_payment": None,
        "livemode": False,
        "metadata": merged({}, given.get("metadata")),
        "reversals": {},
        "reversed": False,
        "source_transaction": charge["id"] if charge else None,
        "source_type": "card",
        "transfer_group": group,
    }
    made["reversals"] = {**inner([], f"/v1/transfers/{made['id']}/reversals"), "total_count": 0}
    made["balance_transaction"] = moved(
        work, "transfer", -amount, code, made["id"], description=made["description"], at_once=charge is None
    )["id"]
    made["destination_payment"] = _payment(work.on(destination), made, charge, whole=whole)["id"]
    work.add(made)
    if charge is not None:
        if whole:
            charge["transfer"] = made["id"]
        work.save(charge)
    work.emit("transfer.created", made)
    return made


def _payment(work: RequestContext, transfer: Json, charge: Json | None, *, whole: bool) -> Json:
    """Return the transfer as the connected account sees it: a payment to it."""
    amount, code = transfer["amount"], transfer["currency"]
    fee = (charge["application_fee_amount"] or 0) if charge is not None and whole else 0
    payment: Json = {
        "id": new_id("py"),
        "object": "charge",
        "amount": amount,
        "amount_captured": amount,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": fee or None,
        "balance_transaction": None,
        "billing_details": {"address": {**NO_ADDRESS}, "email": None, "name": None, "phone": None, "tax_id": None},
        "calculated_statement_descriptor": None,
        "captured": True,
        "created": work.now,
        "currency": code,
        "customer": None,
        "description": None,
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": {},
        "on_behalf_of": None,
        "outcome": None,
        "paid": True,
        "payment_intent": None,
        "payment_method": None,
        "payment_method_details": {"stripe_account": {}, "type": "stripe_account"},
        "presentment_details": None,
        "radar_options": {},
        "receipt_email": None,
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": transfer["id"],
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "succeeded",
        "transfer_data": None,
        "transfer_group": transfer["transfer_group"],
    }
    payment["balance_transaction"] = moved(
        work,
        "payment",
        amount,
        code,
        payment["id"],
        fees=[fee_detail(fee, code, "application_fee")],
        at_once=charge is None,
    )["id"]
    work.add(payment)
    if fee and charge is not None:
        from local.stripe.application_fees import charged

        charged(work, payment, charge, fee)
    return payment


def _reversed(work: RequestContext, found: Json, amount: int, metadata: dict[str, str], refund: str | None) -> Json:
    account = work.on(found["destination"])
    payment = account.get("charge", found["destination_payment"])
    made: Json = {
        "id": new_id("trr"),
        "object": "transfer_reversal",
        "amount": amount,
        "balance_transaction": None,
        "created": work.now,
        "currency": found["currency"],
        "destination_payment_refund": None,
        "metadata": metadata,
        "source_refund": refund,
        "transfer": found["id"],
    }
    made["balance_transaction"] = moved(
        work, "transfer_refund", amount, found["currency"], made["id"], description="REFUND FOR TRANSFER"
    )["id"]
    made["destination_payment_refund"] = _payment_refund(account, payment, made)["id"]
    work.add(made)
    found["amount_reversed"] += amount
    found["reversed"] = found["amount_reversed"] == found["amount"]
    found["reversals"]["data"].insert(0, dict(made))
    found["reversals"]["total_count"] += 1
    work.emit("transfer.reversed", found)
    return made


def _payment_refund(work: RequestContext, payment: Json, reversal: Json) -> Json:
    """Return the reversal as the connected account sees it: a refund of the payment to it."""
    amount = reversal["amount"]
    made: Json = {
        "id": new_id("pyr"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": payment["id"],
        "created": work.now,
        "currency": payment["currency"],
        "customer": None,
        "customer_account": None,
        "destination_details": {"type": "stripe_account"},
        "metadata": {},
        "payment_intent": None,
        "payment_method": None,
        "pending_reason": None,
        "reason": None,
        "receipt_number": None,
        "source_transfer_reversal": reversal["id"],
        "status": "succeeded",
        "transfer_reversal": None,
    }
    made["balance_transaction"] = moved(work, "payment_refund", -amount, payment["currency"], made["id"])["id"]
    payment["amount_refunded"] += amount
    payment["refunded"] = payment["amount_refunded"] == payment["amount"]
    work.save(payment)
    return work.add(made)
