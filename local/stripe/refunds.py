"""Refunds: all or a part of a charge, never more than was paid; they may be pending, and may fail later."""

from typing import Any

from local.stripe import charge_lifecycle
from local.stripe.balances import moved
from local.stripe.errors import Refused, invalid, malformed, unexpected_state
from local.stripe.identity import new_id, new_secret
from local.stripe.lists import PAGE_BY_TIME, page
from local.stripe.money import written
from local.stripe.parameters import Choice, Flag, Metadata, Text, Whole, merged
from local.stripe.payment_methods import behaviour
from local.stripe.request_context import RequestContext
from local.stripe.routes import Given, route
from local.stripe.store import Json

REASONS = ("duplicate", "fraudulent", "requested_by_customer")
FAILURES = (
    "charge_for_pending_refund_disputed", "declined", "expired_or_canceled_card", "insufficient_funds",
    "lost_or_stolen_card", "merchant_request", "unknown",
)  # fmt: skip


@route(
    "POST",
    "/v1/refunds",
    {
        "amount": Whole(least=1),
        "charge": Text(),
        "metadata": Metadata(),
        "payment_intent": Text(),
        "reason": Choice(words=REASONS),
        "refund_application_fee": Flag(),
        "reverse_transfer": Flag(),
    },
)
def create(work: RequestContext, given: Given) -> Json:
    """Create a refund."""
    charge = _charge(work, given)
    if charge["disputed"] and not work.store.hidden(charge["id"]).get("refundable"):
        raise invalid(f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed")
    left = charge["amount"] - charge["amount_refunded"]
    if left <= 0:
        raise invalid(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    amount = given.get("amount", left)
    if amount > left:
        code = charge["currency"]
        raise invalid(
            f"Refund amount ({written(amount, code)}) is greater than unrefunded amount on charge "
            f"({written(left, code)})",
            param="amount",
        )
    charge_lifecycle.settled(work, charge["id"])
    made = _new(work, charge, amount, given)
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    kind = "refund" if charge["id"].startswith("ch_") else "payment_refund"
    booked = moved(
        work,
        kind,
        -amount,
        charge["currency"],
        made["id"],
        description=f"REFUND FOR CHARGE ({charge['description']})" if charge["description"] else "REFUND FOR CHARGE",
        at_once=work.store.row(
            "select 1 from objects where id = ? and json_extract(body, '$.available_on') <= ?",
            (charge["balance_transaction"], work.now),
        )
        is not None,
    )
    made["balance_transaction"] = booked["id"]
    work.add(made)
    _give_back(work, charge, made, given)
    _go_on(work, charge, made)
    work.emit("refund.created", made)
    work.emit("charge.refunded", charge)
    return made


@route("GET", "/v1/refunds/{id}")
def retrieve(work: RequestContext, _: Given, id: str) -> Json:
    """Return a refund."""
    return work.get("refund", id, "id")


@route("GET", "/v1/refunds", {**PAGE_BY_TIME, "charge": Text(), "payment_intent": Text()})
def list_all(work: RequestContext, given: Given) -> Json:
    """List refunds, newest first."""
    filters = {name: given.get(name) for name in ("charge", "payment_intent")}
    return page(work, given, "refund", "/v1/refunds", filters=filters)


@route("POST", "/v1/refunds/{id}", {"metadata": Metadata()})
def update(work: RequestContext, given: Given, id: str) -> Json:
    """Change the metadata of a refund."""
    found = work.get("refund", id, "id")
    if "metadata" in given:
        found["metadata"] = merged(found["metadata"], given["metadata"])
    work.emit("refund.updated", found, "charge.refund.updated")
    return found


@route("POST", "/v1/refunds/{id}/cancel")
def cancel(work: RequestContext, _: Given, id: str) -> Json:
    """Refuse: only refunds that wait for the customer can be canceled, and there are none here."""
    found = work.get("refund", id, "id")
    raise invalid(
        f"You cannot cancel this refund because it has a status of {found['status']}. Only a refund with one of the "
        "following statuses may be canceled: requires_action."
    )


def arrived(work: RequestContext, id: str) -> Json:
    """Complete a pending refund."""
    found = work.get("refund", id)
    if found["status"] == "pending":
        found |= {"status": "succeeded", "pending_reason": None}
        work.emit("refund.updated", found, "charge.refund.updated")
    return found


def failed(work: RequestContext, id: str, reason: str = "unknown") -> Json:
    """Fail a refund that did not reach the payer: the money returns, and can be refunded again."""
    found = work.get("refund", id)
    if found["status"] not in ("pending", "succeeded"):
        return found
    charge = work.get("charge", found["charge"])
    charge["amount_refunded"] -= found["amount"]
    charge["refunded"] = False
    work.save(charge)
    booked = moved(
        work,
        "refund_failure" if charge["id"].startswith("ch_") else "payment_failure_refund",
        found["amount"],
        found["currency"],
        found["id"],
        description="REFUND FAILURE",
    )
    found |= {
        "status": "failed",
        "failure_reason": reason,
        "failure_balance_transaction": booked["id"],
        "pending_reason": None,
    }
    work.emit("refund.updated", found, "charge.refund.updated", "refund.failed")
    return found


def _charge(work: RequestContext, given: Given) -> Json:
    if "charge" in given and "payment_intent" in given:
        raise malformed("You may only specify one of these parameters: charge, payment_intent.")
    if "charge" in given:
        charge = work.get("charge", given["charge"], "charge")
        if charge["status"] != "succeeded" or not charge["captured"]:
            raise invalid(f"Charge {charge['id']} has not been paid; cannot issue a refund.")
        return charge
    if "payment_intent" not in given:
        raise malformed(
            "One of the following params should be provided for this request: payment_intent or charge.",
            code="parameter_missing",
        )
    intent = work.get("payment_intent", given["payment_intent"], "payment_intent")
    if intent["status"] != "succeeded":
        raise _unpaid(intent)
    return work.get("charge", intent["latest_charge"])


def _unpaid(intent: Json) -> Refused:
    if intent["latest_charge"] is None:
        return invalid(f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.")
    return unexpected_state(
        f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund: its status is "
        f"{intent['status']}.",
        intent,
    )


def _new(work: RequestContext, charge: Json, amount: int, given: Given) -> Json:
    card = charge["payment_method_details"]["type"] == "card"
    details: Any = {
        "card": {"reference_status": "pending", "reference_type": "acquirer_reference_number"},
        "type": "card",
    }
    if card:
        details["card"]["type"] = "refund"
    return {
        "id": new_id("re" if charge["id"].startswith("ch_") else "pyr"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": work.now,
        "currency": charge["currency"],
        "customer": charge["customer"],
        "customer_account": None,
        "destination_details": details if card else {"twint": {}, "type": "twint"},
        "metadata": merged({}, given.get("metadata")),
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "pending_reason": None,
        "reason": given.get("reason"),
        "receipt_number": f"{new_secret(4)}-{new_secret(4)}".upper(),
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }


def _give_back(work: RequestContext, charge: Json, made: Json, given: Given) -> None:
    """Take back the shares of the destination and the application, in proportion."""
    if given.get("reverse_transfer"):
        from local.stripe.transfers import reverse_in_proportion

        if charge.get("transfer") is None:
            raise invalid(
                "Cannot reverse transfer on a charge that does not have an associated transfer.",
                param="reverse_transfer",
            )
        made["transfer_reversal"] = reverse_in_proportion(work, charge, made)
    if given.get("refund_application_fee"):
        from local.stripe.application_fees import give_back_in_proportion

        if charge["application_fee"] is None:
            raise invalid(
                "Cannot refund the application fee of a charge that does not have one.", param="refund_application_fee"
            )
        give_back_in_proportion(work, charge, made["amount"])


def _go_on(work: RequestContext, charge: Json, made: Json) -> None:
    """Continue a refund: to a card it is complete at once; others are pending, and some fail later."""
    method = work.find("payment_method", charge["payment_method"])
    card = behaviour(work, method) if method else None
    if card is None or card.refund == "pending":
        made |= {"status": "pending", "pending_reason": "processing"}
        work.later(work.pace.refund_seconds, "refund_arrives", made["id"])
    elif card.refund == "fails":
        work.later(work.pace.refund_seconds, "refund_fails", made["id"])
    work.save(made)
