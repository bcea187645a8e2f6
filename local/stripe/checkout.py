"""Checkout sessions: pages on which payers pay or give up."""

from typing import Any

from local.stripe import confirmation, payment_intents
from local.stripe.addresses import check_return
from local.stripe.checkout_shapes import HOSTED, lines, new_session
from local.stripe.customers import SHIPPING
from local.stripe.destinations import check_destination
from local.stripe.errors import Refused, invalid, malformed
from local.stripe.identity import new_secret
from local.stripe.intent_shapes import TWINT_MAX
from local.stripe.lists import PAGE, PAGE_BY_TIME, inner, page
from local.stripe.money import check_charge
from local.stripe.parameters import Choice, Fields, Flag, Items, Metadata, Text, Whole, merged, missing
from local.stripe.payment_intents import CAPTURE, FUTURE, THREE_D_SECURE
from local.stripe.payment_methods import NO_ADDRESS, TYPES
from local.stripe.request_context import RequestContext
from local.stripe.routes import Given, route
from local.stripe.store import Json

EXPIRY_SECONDS = 86_400
EXPIRY_SECONDS_MIN = 1800
PRODUCT = Fields(
    kinds={
        "description": Text(),
        "images": Items(of=Text(), most=8),
        "metadata": Metadata(),
        "name": Text(needed=True),
        "tax_code": Text(),
    }
)
PRICE = Fields(
    kinds={
        "currency": Text(longest=3, needed=True),
        "product_data": PRODUCT,
        "tax_behavior": Choice(words=("exclusive", "inclusive", "unspecified")),
        "unit_amount": Whole(least=0),
    }
)
LINE = Fields(kinds={"price": Text(), "price_data": PRICE, "quantity": Whole(least=1)})
INTENT = Fields(
    kinds={
        "application_fee_amount": Whole(least=0),
        "capture_method": CAPTURE,
        "description": Text(longest=1000),
        "metadata": Metadata(),
        "on_behalf_of": Text(),
        "receipt_email": Text(),
        "setup_future_usage": FUTURE,
        "shipping": SHIPPING,
        "statement_descriptor": Text(longest=22),
        "statement_descriptor_suffix": Text(longest=22),
        "transfer_data": Fields(kinds={"destination": Text(needed=True), "amount": Whole(least=0)}),
        "transfer_group": Text(),
    }
)
SWITCH = Fields(kinds={"enabled": Flag(needed=True)})


@route(
    "POST",
    "/v1/checkout/sessions",
    {
        "allow_promotion_codes": Flag(),
        "automatic_tax": SWITCH,
        "billing_address_collection": Choice(words=("auto", "required")),
        "cancel_url": Text(),
        "client_reference_id": Text(longest=200),
        "customer": Text(),
        "customer_creation": Choice(words=("always", "if_required")),
        "customer_email": Text(longest=800),
        "expires_at": Whole(),
        "line_items": Items(of=LINE),
        "locale": Text(longest=6),
        "metadata": Metadata(),
        "mode": Choice(words=("payment", "setup", "subscription"), needed=True),
        "payment_intent_data": INTENT,
        "payment_method_options": Fields(
            kinds={"card": Fields(kinds={"request_three_d_secure": THREE_D_SECURE}), "twint": Fields()}
        ),
        "payment_method_types": Items(of=Choice(words=TYPES)),
        "phone_number_collection": SWITCH,
        "return_url": Text(),
        "submit_type": Choice(words=("auto", "book", "donate", "pay")),
        "success_url": Text(),
        "ui_mode": Choice(words=("elements", "embedded_page", "form", "hosted_page")),
    },
)
def create(work: RequestContext, given: Given) -> Json:
    """Create a session for one payment."""
    if given["mode"] != "payment":
        raise invalid("The stand-in has checkout sessions of mode `payment` only.", param="mode")
    check_return(given, "success_url", "cancel_url", "return_url")
    items, code, total = lines(given)
    check_charge(total, code)
    if "customer" in given and "customer_email" in given:
        raise malformed("You may only specify one of these parameters: customer, customer_email.")
    hosted = given.get("ui_mode", HOSTED) == HOSTED
    if hosted and "success_url" not in given:
        raise missing("success_url")
    if not hosted and "return_url" not in given:
        raise missing("return_url")
    expires_at = given.get("expires_at", work.now + EXPIRY_SECONDS)
    if not work.now + EXPIRY_SECONDS_MIN <= expires_at <= work.now + EXPIRY_SECONDS:
        raise invalid(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.",
            param="expires_at",
        )
    customer = None
    if "customer" in given:
        customer = work.get("customer", given["customer"], "customer")["id"]
    data = given.get("payment_intent_data", {})
    check_destination(work, {"transfer_data": data.get("transfer_data"), "on_behalf_of": data.get("on_behalf_of")})
    made = new_session(work, given, code, total, expires_at) | {"customer": customer}
    if hosted:
        made["url"] = f"{work.url}/_stand_in/checkout/{made['id']}"
    else:
        made["client_secret"] = f"{made['id']}_secret_{new_secret(40)}"
    if "payment_method_types" in given:
        made["payment_method_types"] = given["payment_method_types"]
    elif code == "chf" and data.get("capture_method") != "manual" and total <= TWINT_MAX:
        made["payment_method_types"] = ["card", "twint"]
    made["payment_method_options"] = {
        name: given.get("payment_method_options", {}).get(name, {"request_three_d_secure": "automatic"})
        for name in made["payment_method_types"]
        if name == "card"
    }
    work.store.hide(made["id"], {"line_items": items, "payment_intent_data": data})
    work.add(made)
    work.later(expires_at - work.now, "expire_session", made["id"])
    return made


@route("GET", "/v1/checkout/sessions/{id}")
def retrieve(work: RequestContext, _: Given, id: str) -> Json:
    """Return a session."""
    return work.get("checkout.session", id, "session")


@route(
    "GET",
    "/v1/checkout/sessions",
    {
        **PAGE_BY_TIME,
        "customer": Text(),
        "payment_intent": Text(),
        "status": Choice(words=("complete", "expired", "open")),
    },
)
def list_all(work: RequestContext, given: Given) -> Json:
    """List sessions, newest first."""
    filters = {name: given.get(name) for name in ("customer", "payment_intent", "status")}
    return page(work, given, "checkout.session", "/v1/checkout/sessions", filters=filters)


@route("POST", "/v1/checkout/sessions/{id}", {"metadata": Metadata()})
def update(work: RequestContext, given: Given, id: str) -> Json:
    """Change the metadata of a session."""
    found = work.get("checkout.session", id, "session")
    if "metadata" in given:
        found["metadata"] = merged(found["metadata"], given["metadata"])
    return work.save(found)


@route("GET", "/v1/checkout/sessions/{id}/line_items", PAGE)
def line_items(work: RequestContext, given: Given, id: str) -> Json:
    """List the line items of a session."""
    work.get("checkout.session", id, "session")
    return inner(work.store.hidden(id)["line_items"], f"/v1/checkout/sessions/{id}/line_items", given)


@route("POST", "/v1/checkout/sessions/{id}/expire")
def expire(work: RequestContext, _: Given, id: str) -> Json:
    """Expire an open session."""
    found = work.get("checkout.session", id, "session")
    if found["status"] != "open":
        raise invalid(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of '
            f"`{found['status']}`."
        )
    return _end(work, found)


def expired(work: RequestContext, id: str) -> None:
    """Expire a session when its time is over, as a task."""
    found = work.get("checkout.session", id)
    if found["status"] == "open":
        _end(work, found)


def paid(work: RequestContext, id: str, given: Json) -> Json:
    """Pay as the payer: {"payment_method": "pm_card_…" or "twint", "email", "name", "outcome"}."""
    found = work.get("checkout.session", id, "session")
    if found["status"] != "open":
        raise invalid(f"This Checkout Session has a status of `{found['status']}`.")
    intent = _intent(work, found)
    method = given.get("payment_method", "pm_card_visa")
    billing = {"email": given.get("email", found["customer_email"]), "name": given.get("name")}
    choice: Json = {"return_url": found["success_url"] or found["return_url"]}
    if method == "twint":
        choice["payment_method_data"] = {"type": "twint", "billing_details": billing}
    else:
        choice["payment_method"] = method
    try:
        intent = confirmation.confirm(work, intent, choice)
        if intent["status"] == "requires_action":
            intent = confirmation.played(work, intent, given.get("outcome", "succeeded"))
    except Refused as refusal:
        if not refusal.kept:
            raise
    found["payment_intent"] = intent["id"]
    if intent["status"] not in ("succeeded", "processing", "requires_capture"):
        return work.save(found)
    details: dict[str, Any] = {"address": {**NO_ADDRESS}, "business_name": None, "individual_name": None, "phone": None}
    found |= {
        "status": "complete",
        "payment_status": "paid" if intent["status"] == "succeeded" else "unpaid",
        "url": None,
        "customer_details": {**details, **billing, "tax_exempt": "none", "tax_ids": []},
    }
    work.emit("checkout.session.completed", found)
    return found


def processed(work: RequestContext, intent: Json) -> None:
    """Complete a session whose payment was still processing and has now ended."""
    row = work.store.row(
        "select id from objects where account = ? and kind = 'checkout.session' "
        "and json_extract(body, '$.payment_intent') = ?",
        (work.account, intent["id"]),
    )
    if row is None:
        return
    found = work.get("checkout.session", row["id"])
    if intent["status"] == "succeeded":
        found["payment_status"] = "paid"
        work.emit("checkout.session.async_payment_succeeded", found)
    else:
        work.emit("checkout.session.async_payment_failed", found)


def _intent(work: RequestContext, found: Json) -> Json:
    """Return the session's payment intent, created at the payer's first attempt."""
    if found["payment_intent"] is not None:
        return work.get("payment_intent", found["payment_intent"])
    hidden = work.store.hidden(found["id"])
    given: Json = {
        **hidden["payment_intent_data"],
        "amount": found["amount_total"],
        "currency": found["currency"],
        "payment_method_types": found["payment_method_types"],
    }
    if found["customer"]:
        given["customer"] = found["customer"]
    if found["payment_method_options"]:
        given["payment_method_options"] = found["payment_method_options"]
    return payment_intents.create(work, given)


def _end(work: RequestContext, found: Json) -> Json:
    found |= {"status": "expired", "url": None}
    work.emit("checkout.session.expired", found)
    return found
