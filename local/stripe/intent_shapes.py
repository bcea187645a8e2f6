"""The objects of payment intents, their changes by parameters, and the combinations that are not allowed."""

from typing import Any

from local.stripe import charge_lifecycle
from local.stripe.errors import invalid
from local.stripe.identity import new_id, new_secret
from local.stripe.money import check_charge, currency, written
from local.stripe.parameters import merged
from local.stripe.payment_methods import made_from, shipping, usable
from local.stripe.request_context import RequestContext
from local.stripe.routes import Given
from local.stripe.store import Json

TWINT_MAX = 500_000


def new_intent(work: RequestContext, given: Given, code: str) -> Json:
    """Return an intent without the parts that depend on other objects."""
    types = given.get("payment_method_types", given.get("allowed_payment_method_types"))
    automatic = given.get("automatic_payment_methods", {"enabled": types is None})
    intent = new_id("pi")
    return {
        "id": intent,
        "object": "payment_intent",
        "allowed_payment_method_types": None,
        "amount": given["amount"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": (
            {"allow_redirects": automatic.get("allow_redirects", "always"), "enabled": True}
            if automatic["enabled"]
            else None
        ),
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": given.get("capture_method", "automatic_async"),
        "client_secret": f"{intent}_secret_{new_secret(25)}",
        "confirmation_method": given.get("confirmation_method", "automatic"),
        "created": work.now,
        "currency": code,
        "customer": None,
        "customer_account": None,
        "description": None,
        "excluded_payment_method_types": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }


def apply(work: RequestContext, made: Json, given: Given) -> None:
    """Apply the parameters to the intent."""
    for name in (
        "amount", "application_fee_amount", "capture_method", "description", "payment_method_types", "receipt_email",
        "setup_future_usage", "statement_descriptor", "statement_descriptor_suffix", "transfer_group",
    ):  # fmt: skip
        if name in given:
            made[name] = given[name]
    if "payment_method_types" in given and "automatic_payment_methods" not in given:
        made["automatic_payment_methods"] = None
    if "currency" in given:
        made["currency"] = currency(given["currency"])
    if "allowed_payment_method_types" in given:
        made["allowed_payment_method_types"] = given["allowed_payment_method_types"]
        made["automatic_payment_methods"] = None
    if made["automatic_payment_methods"] or made["allowed_payment_method_types"]:
        made["payment_method_types"] = _compatible(made)
    if "customer" in given:
        made["customer"] = work.get("customer", given["customer"], "customer")["id"]
    if "metadata" in given:
        made["metadata"] = merged(made["metadata"], given["metadata"])
    if "shipping" in given:
        made["shipping"] = shipping(given["shipping"])
    if "payment_method" in given:
        chosen = given["payment_method"]
        made["payment_method"] = None if chosen is None else usable(work, chosen, "payment_method")["id"]
    elif "payment_method_data" in given:
        made["payment_method"] = made_from(work, given["payment_method_data"], "payment_method_data")["id"]
    made["payment_method_options"] = options(made, given.get("payment_method_options", {}))


def _compatible(made: Json) -> list[str]:
    """Return the compatible types among the allowed ones; others are silently omitted."""
    automatic = made["automatic_payment_methods"]
    twint = (
        made["currency"] == "chf"
        and made["capture_method"] != charge_lifecycle.UNCAPTURED
        and made["amount"] <= TWINT_MAX
        and (automatic is None or automatic["allow_redirects"] == "always")
    )
    fitting = ["card", "twint"] if twint else ["card"]
    allowed = made["allowed_payment_method_types"]
    return fitting if allowed is None else [each for each in fitting if each in allowed]


def options(made: Json, given: Given) -> Json:
    """Return the options of an intent's payment methods."""
    old = (made["payment_method_options"] or {}).get("card", {})
    three_d_secure = given.get("card", {}).get("request_three_d_secure", old.get("request_three_d_secure", "automatic"))
    all_options: dict[str, Any] = {
        "card": {
            "installments": None,
            "mandate_options": None,
            "network": None,
            "request_three_d_secure": three_d_secure,
        },
        "twint": {},
    }
    return {name: all_options[name] for name in made["payment_method_types"]}


def check(work: RequestContext, made: Json) -> None:
    """Refuse combinations that one intent cannot have."""
    check_charge(made["amount"], made["currency"])
    types = made["payment_method_types"]
    if not types:
        raise invalid("You must provide at least one payment method type.", param="payment_method_types")
    if "twint" in types:
        if made["currency"] != "chf":
            raise invalid(
                f"The currency provided ({made['currency']}) is invalid. Payments with twint support the following "
                "currencies: chf.",
                param="payment_method_types",
            )
        if made["capture_method"] == charge_lifecycle.UNCAPTURED:
            raise invalid("Payments with twint cannot be captured manually.", param="capture_method")
        if made["amount"] > TWINT_MAX:
            raise invalid(
                f"Amount must be no more than {written(TWINT_MAX, 'chf')} for twint.",
                code="amount_too_large",
                param="amount",
            )
    fee, transfer = made["application_fee_amount"], made["transfer_data"]
    if fee is not None:
        if transfer is None and not work.connected:
            raise invalid(
                "Can only apply an application_fee_amount when the PaymentIntent is attempting a direct payment "
                "(using an "
                "OAuth key or Stripe-Account header) or destination payment (using `transfer_data[destination]`).",
                param="application_fee_amount",
            )
        if transfer is not None and transfer.get("amount") is not None:
            raise invalid(
                "You cannot use both `application_fee_amount` and `transfer_data[amount]`.",
                param="application_fee_amount",
            )
        if fee > made["amount"]:
            raise invalid(
                "The application fee cannot be greater than the amount of the payment.", param="application_fee_amount"
            )
    if transfer is not None and (transfer.get("amount") or 0) > made["amount"]:
        raise invalid(
            "The transfer amount cannot be greater than the amount of the payment.", param="transfer_data[amount]"
        )
