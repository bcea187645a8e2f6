"""A payment intent from confirmation to its end: authentication, the charge, success or refusal."""

from typing import Any
from urllib.parse import quote

from local.stripe import cards, charge_lifecycle
from local.stripe.addresses import check_return
from local.stripe.charge_lifecycle import UNCAPTURED
from local.stripe.errors import Refused, declined, invalid, unexpected_state
from local.stripe.payment_methods import attached, behaviour, made_from, refuse_used, usable
from local.stripe.request_context import RequestContext
from local.stripe.routes import Given
from local.stripe.store import Json

CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
FAILED_AUTHENTICATION = "payment_intent_authentication_failure"


def confirm(work: RequestContext, intent: Json, given: Given) -> Json:
    """Confirm an intent. Raises Refused: declined, not confirmable, or incomplete."""
    check_return(given, "return_url")
    _refuse_state(intent)
    method = _method(work, intent, given)
    if method is None:
        raise unexpected_state(
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the "
            "PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a "
            "payment "
            "method or ConfirmationToken.",
            intent,
        )
    _refuse_method(work, intent, method)
    return_url = given.get("return_url")
    automatic = intent["automatic_payment_methods"]
    if return_url is None and automatic and automatic["allow_redirects"] == "always" and not given.get("off_session"):
        raise invalid(
            "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of "
            "these "
            "payment methods might redirect your customer off of your page, you must provide a `return_url`. If you "
            "don't "
            "want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to `true` and "
            "`automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and Payment Intents.",
            param="return_url",
        )
    if return_url is None and method["type"] == "twint":
        raise invalid("A `return_url` must be provided to confirm a payment with twint.", param="return_url")
    for name in ("receipt_email", "setup_future_usage", "shipping", "capture_method"):
        if name in given:
            intent[name] = given[name]
    intent |= {"payment_method": method["id"], "last_payment_error": None, "next_action": None}
    hidden = work.store.hidden(intent["id"])
    if method["type"] == "twint" or (_authenticates(work, intent, method) and not hidden.get("authenticated")):
        return _ask_payer(work, intent, method, given)
    return attempt(work, intent, method)


def attempt(work: RequestContext, intent: Json, method: Json) -> Json:
    """Attempt the charge. Raises Refused (kept) if the card is declined."""
    card = behaviour(work, method)
    work.store.hide(method["id"], {**work.store.hidden(method["id"]), "used": method["customer"] is None})
    if card is not None and card.code is not None:
        charge = charge_lifecycle.refused(
            work, work.add(charge_lifecycle.made(work, intent, method, "failed")), card.code, card.decline_code
        )
        return fail(work, intent, method, card.code, card.decline_code, charge)
    charge = work.add(charge_lifecycle.made(work, intent, method, "succeeded"))
    return succeed(work, intent, method, charge)


def succeed(work: RequestContext, intent: Json, method: Json, charge: Json) -> Json:
    """Record a successful charge: the intent has succeeded, or waits for its capture."""
    intent |= {"latest_charge": charge["id"], "next_action": None, "last_payment_error": None, "processing": None}
    if intent["setup_future_usage"] and intent["customer"] and method["type"] == "card":
        work.store.hide(method["id"], {**work.store.hidden(method["id"]), "used": False})
        attached(work, method, intent["customer"])
    if intent["capture_method"] == UNCAPTURED:
        intent |= {"status": "requires_capture", "amount_capturable": charge["amount"]}
        work.emit("charge.succeeded", charge)
        work.emit("payment_intent.amount_capturable_updated", intent)
        work.later(work.pace.authorization_seconds, "expire_authorization", intent["id"])
        return intent
    charge_lifecycle.captured(work, charge, intent)
    intent |= {"status": "succeeded", "amount_received": charge["amount_captured"]}
    work.emit("charge.succeeded", charge)
    work.emit("payment_intent.succeeded", intent)
    return intent


def fail(
    work: RequestContext, intent: Json, method: Json, code: str, decline_code: str | None, charge: Json | None = None
) -> Json:
    """Fail the attempt: the intent requires another payment method. Always raises Refused (kept)."""
    refusal = failed(work, intent, method, code, decline_code, charge)
    raise refusal


def failed(
    work: RequestContext, intent: Json, method: Json, code: str, decline_code: str | None, charge: Json | None = None
) -> Refused:
    """Fail an attempt that nobody waits for: the refusal is returned, not raised."""
    message = (
        "We are unable to authenticate your payment method. Please choose a different payment method and try again."
        if code == FAILED_AUTHENTICATION
        else cards.message(code, decline_code)
    )
    error: Json = {
        "charge": charge["id"] if charge else None,
        "code": code,
        "decline_code": decline_code,
        "doc_url": f"https://docs.stripe.com/error-codes/{code.replace('_', '-')}",
        "message": message,
        "payment_method": dict(method),
        "type": "card_error" if method["type"] == "card" else "invalid_request_error",
    }
    intent |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "next_action": None,
        "processing": None,
        "last_payment_error": {name: value for name, value in error.items() if value is not None},
    }
    if charge is not None:
        intent["latest_charge"] = charge["id"]
    work.store.hide(intent["id"], {})
    work.emit("payment_intent.payment_failed", intent)
    objects: dict[str, Any] = {"payment_intent": intent, "payment_method": dict(method)}
    if charge is not None:
        objects["charge"] = charge["id"]
    return declined(message, code=code, decline_code=decline_code, objects=objects)


def played(work: RequestContext, intent: Json, outcome: str) -> Json:
    """Apply the payer's reaction to next_action; `outcome`: succeeded, failed or processing."""
    if intent["status"] != "requires_action":
        raise unexpected_state(f"Nothing is asked of the payer: the status is {intent['status']}.", intent)
    method = work.get("payment_method", intent["payment_method"])
    if outcome == "failed":
        failed(work, intent, method, FAILED_AUTHENTICATION, None)
        return intent
    work.store.hide(intent["id"], {**work.store.hidden(intent["id"]), "authenticated": True})
    if outcome == "processing":
        charge = work.add(charge_lifecycle.made(work, intent, method, "pending"))
        intent |= {
            "status": "processing",
            "next_action": None,
            "latest_charge": charge["id"],
            "processing": {"type": method["type"]},
        }
        work.emit("charge.pending", charge)
        work.emit("payment_intent.processing", intent)
        return intent
    if intent["confirmation_method"] == "manual":
        intent |= {"status": "requires_confirmation", "next_action": None}
        return work.save(intent)
    try:
        return attempt(work, intent, method)
    except Refused as refusal:
        if not refusal.kept:
            raise
        return intent


def processed(work: RequestContext, intent: Json, outcome: str) -> Json:
    """End a payment that was processing; `outcome`: succeeded or failed."""
    if intent["status"] != "processing":
        raise unexpected_state(f"The status is {intent['status']}, not processing.", intent)
    method = work.get("payment_method", intent["payment_method"])
    charge = work.get("charge", intent["latest_charge"])
    if outcome == "failed":
        charge_lifecycle.refused(work, charge, "card_declined", "generic_decline")
        failed(work, intent, method, "card_declined", "generic_decline", charge)
        return intent
    charge |= {"status": "succeeded", "captured": True, "amount_captured": charge["amount"]}
    return succeed(work, intent, method, charge)


def _ask_payer(work: RequestContext, intent: Json, method: Json, given: Given) -> Json:
    if given.get("off_session") or given.get("error_on_requires_action"):
        return fail(work, intent, method, "authentication_required", "authentication_required")
    page = f"{work.url}/_stand_in/authenticate/{intent['id']}?client_secret={quote(intent['client_secret'])}"
    return_url = given.get("return_url")
    intent["status"] = "requires_action"
    if return_url:
        action: Json = {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": page}}
    else:
        sdk = {"type": "three_d_secure_redirect", "stripe_js": page}
        action = {"type": "use_stripe_sdk", "use_stripe_sdk": sdk}
    intent["next_action"] = action
    work.emit("payment_intent.requires_action", intent)
    return intent


def _refuse_state(intent: Json) -> None:
    status = intent["status"]
    if status == "succeeded":
        raise unexpected_state(
            "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed.",
            intent,
        )
    if status not in CONFIRMABLE:
        raise unexpected_state(
            f"You cannot confirm this PaymentIntent because it has a status of {status}. Only a PaymentIntent with "
            "one of "
            "the following statuses may be confirmed: requires_confirmation, requires_action.",
            intent,
        )


def _method(work: RequestContext, intent: Json, given: Given) -> Json | None:
    if "payment_method" in given:
        return usable(work, given["payment_method"], "payment_method")
    if "payment_method_data" in given:
        return made_from(work, given["payment_method_data"], "payment_method_data")
    if intent["payment_method"] is not None:
        return work.get("payment_method", intent["payment_method"])
    return None


def _refuse_method(work: RequestContext, intent: Json, method: Json) -> None:
    if method["type"] not in intent["payment_method_types"]:
        raise invalid(
            f"The PaymentMethod provided ({method['type']}) is not allowed for this PaymentIntent. Please attach a "
            f"PaymentMethod of one of the following types: {', '.join(intent['payment_method_types'])}.",
            param="payment_method",
        )
    if method["customer"] is None:
        refuse_used(work, method)
    elif intent["customer"] is None:
        raise invalid(
            f"The PaymentMethod {method['id']} belongs to a Customer; please include the Customer in the `customer` "
            "parameter on the PaymentIntent.",
            param="payment_method",
        )
    elif method["customer"] != intent["customer"]:
        raise invalid(
            f"The customer does not have a payment method with the ID {method['id']}. The payment method must be "
            "attached "
            "to the customer.",
            param="payment_method",
        )


def _authenticates(work: RequestContext, intent: Json, method: Json) -> bool:
    card = behaviour(work, method)
    options = (intent["payment_method_options"] or {}).get("card", {})
    asked = options.get("request_three_d_secure") in ("any", "challenge")
    return card is not None and (card.authenticates or asked)
