"""Creation of charges: authorize or refuse, capture, and settle into the balance."""

from local.stripe import cards
from local.stripe.balances import fee_detail, moved, processing_fee
from local.stripe.identity import new_id, new_secret
from local.stripe.payment_methods import behaviour
from local.stripe.request_context import RequestContext
from local.stripe.store import Json

UNCAPTURED = "manual"


def made(work: RequestContext, intent: Json, method: Json, status: str) -> Json:
    """Return a charge of an intent's amount with a status: succeeded, pending or failed. It is not stored yet."""
    manual = intent["capture_method"] == UNCAPTURED
    captured = status == "succeeded" and not manual
    card = behaviour(work, method)
    failed = status == "failed"
    return {
        "id": new_id("ch" if card else "py"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if captured else 0,
        "amount_refunded": 0,
        "application": intent["application"],
        "application_fee": None,
        "application_fee_amount": intent["application_fee_amount"],
        "balance_transaction": None,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": "STAND-IN" if card else None,
        "captured": captured,
        "created": work.now,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "on_behalf_of": intent["on_behalf_of"],
        "outcome": _outcome(card) if not failed else None,
        "paid": not failed,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": _details(work, intent, method, status),
        "presentment_details": None,
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None if failed else f"{work.url}/_stand_in/receipts/{intent['id']}",
        "refunded": False,
        "review": None,
        "shipping": intent["shipping"],
        "source": None,
        "source_transfer": None,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": status,
        "transfer_data": intent["transfer_data"],
        "transfer_group": intent["transfer_group"],
    }


def refused(work: RequestContext, charge: Json, code: str, decline_code: str | None) -> Json:
    """Mark a charge as failed, and emit its event."""
    charge |= {
        "status": "failed",
        "paid": False,
        "captured": False,
        "amount_captured": 0,
        "failure_code": code,
        "failure_message": cards.message(code, decline_code),
        "receipt_url": None,
        "outcome": {
            "advice_code": "try_again_later" if decline_code == "insufficient_funds" else None,
            "network_advice_code": None,
            "network_decline_code": None,
            "network_status": "declined_by_network",
            "reason": decline_code or code,
            "risk_level": "normal",
            "risk_score": 20,
            "seller_message": "The bank did not return any further details with this decline.",
            "type": "issuer_declined",
        },
    }
    work.emit("charge.failed", charge)
    return charge


def captured(work: RequestContext, charge: Json, intent: Json) -> None:
    """Settle a captured charge: now, or shortly after if capturing is asynchronous."""
    if intent["capture_method"] == "automatic_async":
        work.later(work.pace.settle_seconds, "settle_charge", charge["id"])
    else:
        settle(work, charge)
    method = work.find("payment_method", charge["payment_method"])
    card = behaviour(work, method) if method else None
    if card is not None and card.dispute:
        work.later(work.pace.dispute_seconds, "dispute_inquiry" if card.inquiry else "dispute", charge["id"])


def settle(work: RequestContext, charge: Json) -> None:
    """Book a captured charge: its balance transaction, the application's fee, the destination's transfer; once."""
    if charge["balance_transaction"] is not None:
        return
    from local.stripe.application_fees import charged
    from local.stripe.transfers import to_destination

    method = work.find("payment_method", charge["payment_method"])
    card = behaviour(work, method) if method else None
    amount, currency = charge["amount_captured"], charge["currency"]
    fees = [fee_detail(processing_fee(amount), currency)]
    fee_amount = charge["application_fee_amount"] or 0
    if work.connected:
        fees.append(fee_detail(fee_amount, currency, "application_fee"))
    booked = moved(
        work,
        "charge" if charge["id"].startswith("ch_") else "payment",
        amount,
        currency,
        charge["id"],
        fees=fees,
        description=charge["description"],
        at_once=bool(card and card.available),
    )
    charge["balance_transaction"] = booked["id"]
    work.save(charge)
    if work.connected and fee_amount:
        charged(work, charge, charge, fee_amount)
    if charge["transfer_data"] is not None:
        to_destination(work, charge)


def settled(work: RequestContext, id: str) -> None:
    """Settle a charge after an asynchronous capture, as a task."""
    charge = work.get("charge", id)
    if charge["balance_transaction"] is None:
        settle(work, charge)
        work.emit("charge.updated", charge)


def _outcome(card: cards.Card | None) -> Json:
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "approved_by_network",
        "reason": None,
        "risk_level": "normal" if card else "not_assessed",
        "risk_score": 20 if card else None,
        "seller_message": "Payment complete.",
        "type": "authorized",
    }


def _details(work: RequestContext, intent: Json, method: Json, status: str) -> Json:
    if method["type"] == "twint":
        return {"type": "twint", "twint": {"mandate": None}}
    card = method["card"]
    manual = intent["capture_method"] == UNCAPTURED
    authenticated = work.store.hidden(intent["id"]).get("authenticated")
    return {
        "type": "card",
        "card": {
            "amount_authorized": intent["amount"] if status != "failed" else None,
            "authorization_code": "".join(new_secret(6)).upper() if status != "failed" else None,
            "brand": card["brand"],
            "capture_before": work.now + int(work.pace.authorization_seconds) if manual else None,
            "checks": card["checks"],
            "country": card["country"],
            "exp_month": card["exp_month"],
            "exp_year": card["exp_year"],
            "extended_authorization": {"status": "disabled"},
            "fingerprint": card["fingerprint"],
            "funding": card["funding"],
            "incremental_authorization": {"status": "unavailable"},
            "installments": None,
            "last4": card["last4"],
            "mandate": None,
            "multicapture": {"status": "unavailable"},
            "network": card["brand"],
            "network_token": {"used": False},
            "network_transaction_id": new_secret(15).upper(),
            "overcapture": {"maximum_amount_capturable": intent["amount"], "status": "unavailable"},
            "regulated_status": "unregulated",
            "three_d_secure": _three_d_secure() if authenticated else None,
            "wallet": None,
        },
    }


def _three_d_secure() -> Json:
    return {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": new_secret(32),
        "version": "2.2.0",
    }
