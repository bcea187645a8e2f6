"""Payment intents: create, change, confirm, capture, cancel."""

import hmac

from local.stripe import charge_lifecycle, confirmation
from local.stripe.customers import SHIPPING
from local.stripe.destinations import check_destination
from local.stripe.errors import Refused, invalid, malformed, unexpected_state, unknown
from local.stripe.intent_shapes import apply, check, new_intent
from local.stripe.lists import PAGE_BY_TIME, page
from local.stripe.money import CURRENCY, currency, written
from local.stripe.parameters import Choice, Fields, Flag, Items, Metadata, Text, Whole, merged
from local.stripe.payment_methods import DATA, TYPES
from local.stripe.request_context import RequestContext
from local.stripe.routes import Given, route
from local.stripe.store import Json

WORD = Text(clears=True)
CANCELABLE = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action", "processing")
CHANGEABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
REASONS = ("duplicate", "fraudulent", "requested_by_customer", "abandoned")
CAPTURE = Choice(words=("automatic", "automatic_async", "manual"))
FUTURE = Choice(words=("off_session", "on_session"), clears=True)
THREE_D_SECURE = Choice(words=("any", "automatic", "challenge"))
OPTIONS = Fields(kinds={"card": Fields(kinds={"request_three_d_secure": THREE_D_SECURE}), "twint": Fields()})
CHANGES = {
    "allowed_payment_method_types": Items(of=Text()),
    "amount": Whole(least=0),
    "application_fee_amount": Whole(least=0, clears=True),
    "capture_method": CAPTURE,
    "currency": CURRENCY,
    "customer": Text(),
    "description": Text(longest=1000, clears=True),
    "metadata": Metadata(),
    "payment_method": WORD,
    "payment_method_data": Fields(kinds=DATA),
    "payment_method_options": OPTIONS,
    "payment_method_types": Items(of=Choice(words=TYPES)),
    "receipt_email": WORD,
    "setup_future_usage": FUTURE,
    "shipping": SHIPPING,
    "statement_descriptor": Text(longest=22, clears=True),
    "statement_descriptor_suffix": Text(longest=22, clears=True),
    "transfer_group": Text(clears=True),
}
CONFIRMING = {
    "error_on_requires_action": Flag(),
    "off_session": Flag(),
    "return_url": Text(),
    "use_stripe_sdk": Flag(),
}
AUTOMATIC = Fields(kinds={"enabled": Flag(needed=True), "allow_redirects": Choice(words=("always", "never"))})
PUBLIC = (
    "id", "object", "amount", "automatic_payment_methods", "canceled_at", "cancellation_reason", "capture_method",
    "client_secret", "confirmation_method", "created", "currency", "description", "last_payment_error", "livemode",
    "next_action", "payment_method", "payment_method_types", "processing", "receipt_email", "setup_future_usage",
    "shipping", "source", "status",
)  # fmt: skip


@route(
    "POST",
    "/v1/payment_intents",
    {
        **CHANGES,
        **CONFIRMING,
        "amount": Whole(least=0, needed=True),
        "currency": Text(longest=3, needed=True),
        "automatic_payment_methods": AUTOMATIC,
        "confirm": Flag(),
        "confirmation_method": Choice(words=("automatic", "manual")),
        "on_behalf_of": Text(),
        "transfer_data": Fields(kinds={"destination": Text(needed=True), "amount": Whole(least=0)}),
    },
)
def create(work: RequestContext, given: Given) -> Json:
    """Create an intent, and confirm it at once with `confirm`."""
    if not given.get("confirm"):
        alone = next((name for name in CONFIRMING if name in given and name != "use_stripe_sdk"), None)
        if alone is not None:
            raise malformed(
                f"The parameter `{alone}` cannot be passed when creating a PaymentIntent unless `confirm` is set to "
                "true.",
                param=alone,
            )
    if "payment_method_types" in given and given.get("automatic_payment_methods", {}).get("enabled"):
        raise malformed(
            "You may only specify one of these parameters: automatic_payment_methods, payment_method_types."
        )
    code = currency(given["currency"])
    made = new_intent(work, given, code)
    apply(work, made, given)
    transfer = given.get("transfer_data")
    if transfer is not None:
        made["transfer_data"] = dict(transfer)
    made["on_behalf_of"] = given.get("on_behalf_of")
    check(work, made)
    check_destination(work, made)
    # The event shows the intent without its payment method, which belongs to the attempt that may follow.
    method = made["payment_method"]
    work.add(made | {"payment_method": None})
    work.emit("payment_intent.created", work.get("payment_intent", made["id"]))
    stored = work.get("payment_intent", made["id"])
    if method is not None:
        stored |= {"payment_method": method, "status": "requires_confirmation"}
    if given.get("confirm"):
        return confirmation.confirm(work, stored, _confirming(given))
    return work.save(stored)


@route("GET", "/v1/payment_intents/{id}", {"client_secret": Text()}, public=True)
def retrieve(work: RequestContext, given: Given, id: str) -> Json:
    """Return an intent; with a publishable key only for its client secret, and without some fields."""
    return _shown(work, _found(work, given, id))


@route("GET", "/v1/payment_intents", {**PAGE_BY_TIME, "customer": Text()})
def list_all(work: RequestContext, given: Given) -> Json:
    """List intents, newest first."""
    return page(work, given, "payment_intent", "/v1/payment_intents", filters={"customer": given.get("customer")})


@route(
    "POST",
    "/v1/payment_intents/{id}",
    {**CHANGES, "transfer_data": Fields(kinds={"amount": Whole(least=0, clears=True)})},
)
def update(work: RequestContext, given: Given, id: str) -> Json:
    """Change an unpaid intent; its metadata and description at any time."""
    found = work.get("payment_intent", id, "intent")
    fixed = [name for name in given if name not in ("metadata", "description", "receipt_email", "transfer_group")]
    if fixed and found["status"] not in CHANGEABLE:
        raise unexpected_state(
            f"This PaymentIntent's {fixed[0]} could not be updated because it has a status of {found['status']}. You "
            "may "
            f"only update the {fixed[0]} of a PaymentIntent with one of the following statuses: "
            f"{', '.join(CHANGEABLE)}.",
            found,
        )
    apply(work, found, given)
    if "transfer_data" in given:
        if found["transfer_data"] is None:
            raise invalid("`transfer_data[amount]` needs a PaymentIntent with `transfer_data[destination]`.")
        found["transfer_data"] = {**found["transfer_data"], **given["transfer_data"]}
    check(work, found)
    if found["status"] == "requires_payment_method" and found["payment_method"] is not None:
        found["status"] = "requires_confirmation"
    if found["status"] == "requires_confirmation" and found["payment_method"] is None:
        found["status"] = "requires_payment_method"
    if "amount" in given and found["status"] == "requires_action":
        found |= {"status": "requires_confirmation", "next_action": None}
    return work.save(found)


@route(
    "POST",
    "/v1/payment_intents/{id}/confirm",
    {
        **CONFIRMING,
        "capture_method": CAPTURE,
        "client_secret": Text(),
        "payment_method": Text(),
        "payment_method_data": Fields(kinds=DATA),
        "payment_method_options": OPTIONS,
        "payment_method_types": Items(of=Choice(words=TYPES)),
        "receipt_email": WORD,
        "setup_future_usage": FUTURE,
        "shipping": SHIPPING,
    },
    public=True,
)
def confirm(work: RequestContext, given: Given, id: str) -> Json:
    """Confirm an intent."""
    found = _found(work, given, id)
    changes: Given = {name: given[name] for name in ("payment_method_options", "payment_method_types") if name in given}
    if changes:
        apply(work, found, changes)
        check(work, found)
    try:
        return _shown(work, confirmation.confirm(work, found, _confirming(given)))
    except Refused as refusal:
        raise refusal.hiding(PUBLIC) if work.publishable else refusal from None


@route(
    "POST",
    "/v1/payment_intents/{id}/capture",
    {
        "amount_to_capture": Whole(least=1),
        "application_fee_amount": Whole(least=0),
        "metadata": Metadata(),
        "statement_descriptor": Text(longest=22),
        "statement_descriptor_suffix": Text(longest=22),
        "transfer_data": Fields(kinds={"amount": Whole(least=0)}),
    },
)
def capture(work: RequestContext, given: Given, id: str) -> Json:
    """Capture all or a part of the authorized amount; the rest is released."""
    found = work.get("payment_intent", id, "intent")
    if found["status"] != "requires_capture":
        raise unexpected_state(
            f"This PaymentIntent could not be captured because it has a status of {found['status']}. Only a "
            "PaymentIntent "
            "with one of the following statuses may be captured: requires_capture.",
            found,
        )
    amount: int = given["amount_to_capture"] if "amount_to_capture" in given else found["amount_capturable"]
    if amount > found["amount_capturable"]:
        raise invalid(
            f"The amount_to_capture ({written(amount, found['currency'])}) is greater than the capturable amount "
            f"({written(found['amount_capturable'], found['currency'])}).",
            code="amount_too_large",
            param="amount_to_capture",
        )
    charge = work.get("charge", found["latest_charge"])
    for name in ("application_fee_amount", "statement_descriptor", "statement_descriptor_suffix"):
        if name in given:
            found[name] = charge[name] = given[name]
    if "transfer_data" in given and found["transfer_data"] is not None:
        found["transfer_data"] = charge["transfer_data"] = {**found["transfer_data"], **given["transfer_data"]}
    if "metadata" in given:
        found["metadata"] = merged(found["metadata"], given["metadata"])
    charge |= {"captured": True, "amount_captured": amount}
    charge["amount_refunded"] = charge["amount"] - amount
    found |= {"status": "succeeded", "amount_capturable": 0, "amount_received": amount}
    charge_lifecycle.captured(work, charge, found)
    work.emit("charge.captured", charge)
    work.emit("payment_intent.succeeded", found)
    return found


@route("POST", "/v1/payment_intents/{id}/cancel", {"cancellation_reason": Choice(words=REASONS)})
def cancel(work: RequestContext, given: Given, id: str) -> Json:
    """Cancel an intent; its authorization is released."""
    found = work.get("payment_intent", id, "intent")
    if found["status"] not in CANCELABLE:
        raise unexpected_state(
            f"You cannot cancel this PaymentIntent because it has a status of {found['status']}. Only a "
            "PaymentIntent with "
            f"one of the following statuses may be canceled: {', '.join(CANCELABLE)}.",
            found,
        )
    return canceled(work, found, given.get("cancellation_reason"))


def canceled(work: RequestContext, found: Json, reason: str | None) -> Json:
    """Cancel an intent."""
    if found["status"] in ("requires_capture", "processing"):
        charge = work.get("charge", found["latest_charge"])
        if found["status"] == "requires_capture":
            charge |= {"amount_refunded": charge["amount"], "refunded": True}
            work.emit("charge.refunded", charge)
        else:
            charge_lifecycle.refused(work, charge, "payment_intent_canceled", None)
    found |= {
        "status": "canceled",
        "canceled_at": work.now,
        "cancellation_reason": reason,
        "amount_capturable": 0,
        "next_action": None,
        "processing": None,
    }
    work.emit("payment_intent.canceled", found)
    return found


def expired(work: RequestContext, id: str) -> None:
    """Cancel an intent at the end of its authorization, as a task."""
    found = work.get("payment_intent", id)
    if found["status"] == "requires_capture":
        canceled(work, found, "automatic")


def _confirming(given: Given) -> Given:
    """Return the parameters of the confirmation itself; the payment method is set on creation."""
    names = {*CONFIRMING, "capture_method", "receipt_email", "setup_future_usage"}
    if "confirm" not in given:
        names |= {"payment_method", "payment_method_data"}
    return {name: value for name, value in given.items() if name in names}


def _found(work: RequestContext, given: Given, id: str) -> Json:
    found = work.get("payment_intent", id, "intent")
    secret = given.get("client_secret")
    if work.publishable and secret is None:
        raise malformed("Missing required param: client_secret.", code="parameter_missing", param="client_secret")
    if secret is not None and not hmac.compare_digest(secret, found["client_secret"]):
        raise unknown("payment_intent", id, "intent")
    return found


def _shown(work: RequestContext, found: Json) -> Json:
    return {name: found[name] for name in PUBLIC} if work.publishable else found
