"""Payment methods: test cards and TWINT; attached to a customer or used once."""

import hashlib
from typing import Any

from local.stripe import cards
from local.stripe.errors import Refused, invalid, unknown
from local.stripe.identity import new_id
from local.stripe.lists import PAGE, page
from local.stripe.parameters import Choice, Fields, Metadata, Text, Whole, merged, missing
from local.stripe.request_context import RequestContext
from local.stripe.routes import Given, route
from local.stripe.store import Json

TYPES = ("card", "twint")
WORD = Text(clears=True)
ADDRESS = Fields(clears=True, kinds=dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"), WORD))
BILLING = Fields(kinds={"address": ADDRESS, "email": WORD, "name": WORD, "phone": WORD, "tax_id": WORD})
CARD = Fields(
    kinds={
        "token": Text(),
        "number": Text(longest=23),
        "exp_month": Whole(least=1, most=12),
        "exp_year": Whole(),
        "cvc": Text(longest=4),
    }
)
DATA = {
    "type": Choice(words=TYPES, needed=True),
    "card": CARD,
    "twint": Fields(),
    "billing_details": BILLING,
    "metadata": Metadata(),
    "allow_redisplay": Choice(words=("always", "limited", "unspecified")),
}
NO_ADDRESS = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))


@route("POST", "/v1/payment_methods", DATA, public=True)
def create(work: RequestContext, given: Given) -> Json:
    """Create a payment method from a test token or, with a publishable key, from a test card's number."""
    return made_from(work, given)


@route("GET", "/v1/payment_methods/{id}")
def retrieve(work: RequestContext, _: Given, id: str) -> Json:
    """Return a payment method."""
    return usable(work, id, "payment_method")


@route(
    "POST",
    "/v1/payment_methods/{id}",
    {
        "billing_details": BILLING,
        "metadata": Metadata(),
        "allow_redisplay": DATA["allow_redisplay"],
        "card": Fields(kinds={"exp_month": Whole(least=1, most=12), "exp_year": Whole()}),
    },
)
def update(work: RequestContext, given: Given, id: str) -> Json:
    """Change an attached payment method."""
    found = work.get("payment_method", id, "payment_method")
    if found["customer"] is None:
        raise invalid("You must save this PaymentMethod to a customer before you can update it.")
    if "billing_details" in given:
        found["billing_details"] = _billing(found["billing_details"], given["billing_details"])
    if "metadata" in given:
        found["metadata"] = merged(found["metadata"], given["metadata"])
    if "card" in given:
        found["card"] |= given["card"]
    found["allow_redisplay"] = given.get("allow_redisplay", found["allow_redisplay"])
    work.emit("payment_method.updated", found)
    return found


@route("POST", "/v1/payment_methods/{id}/attach", {"customer": Text(needed=True)})
def attach(work: RequestContext, given: Given, id: str) -> Json:
    """Attach a payment method to a customer."""
    customer = work.get("customer", given["customer"], "customer")
    found = usable(work, id, "payment_method")
    return attached(work, found, customer["id"])


@route("POST", "/v1/payment_methods/{id}/detach")
def detach(work: RequestContext, _: Given, id: str) -> Json:
    """Detach a payment method from its customer; it cannot be used again."""
    found = work.get("payment_method", id, "payment_method")
    if found["customer"] is None:
        raise invalid("The payment method you provided is not attached to a customer so detachment is impossible.")
    found["customer"] = None
    work.store.hide(id, {**work.store.hidden(id), "used": True})
    work.emit("payment_method.detached", found)
    return found


@route("GET", "/v1/payment_methods", {**PAGE, "customer": Text(), "type": Choice(words=TYPES)})
def list_all(work: RequestContext, given: Given) -> Json:
    """List the payment methods of a customer."""
    filters = {"customer": given.get("customer"), "type": given.get("type")}
    return page(work, given, "payment_method", "/v1/payment_methods", filters=filters)


@route("GET", "/v1/customers/{customer}/payment_methods", {**PAGE, "type": Choice(words=TYPES)})
def list_of_customer(work: RequestContext, given: Given, customer: str) -> Json:
    """List the payment methods of a customer, under the customer's path."""
    work.get("customer", customer, "customer")
    filters = {"customer": customer, "type": given.get("type")}
    return page(work, given, "payment_method", f"/v1/customers/{customer}/payment_methods", filters=filters)


def made_from(work: RequestContext, given: Given, param: str = "") -> Json:
    """Create a payment method from its parameters."""
    kind = given["type"]
    strange = next((name for name in TYPES if name in given and name != kind), None)
    if strange is not None:
        raise invalid(
            f"You provided the '{strange}' parameter, but the payment method's type is '{kind}'.", param=strange
        )
    name = None
    if kind == "card":
        if "card" not in given:
            raise missing(f"{param}[card]" if param else "card")
        name = _card(work, given["card"])
    return new(work, name, given)


def usable(work: RequestContext, id: str, param: str) -> Json:
    """Return the payment method with an id; an id of Stripe's own such as pm_card_visa creates a new one."""
    name = cards.named(id, "pm_card_")
    if name is not None:
        return new(work, name, {})
    return work.get("payment_method", id, param)


def attached(work: RequestContext, found: Json, customer: str) -> Json:
    """Attach a payment method, which is possible only once and before its use."""
    if found["customer"] == customer:
        return found
    if found["customer"] is not None:
        raise invalid("The payment method you provided has already been attached to a customer.")
    if found["type"] == "twint":
        raise invalid("Payment methods of type 'twint' cannot be saved to customers.")
    refuse_used(work, found)
    found["customer"] = customer
    work.emit("payment_method.attached", found)
    return found


def refuse_used(work: RequestContext, found: Json) -> None:
    """Refuse a payment method without a customer that was already used."""
    if work.store.hidden(found["id"]).get("used"):
        raise invalid(
            "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared "
            "with a connected account without Customer attachment, or was detached from a Customer. It may not be used "
            "again. To use a PaymentMethod multiple times, you must attach it to a Customer first."
        )


def behaviour(work: RequestContext, found: Json) -> cards.Card | None:
    """Return the behaviour of a payment method's card; None if it is not a card."""
    name = work.store.hidden(found["id"]).get("card")
    return None if name is None else cards.CARDS[name]


def new(work: RequestContext, card: str | None, given: Given) -> Json:
    """Store a payment method for a test card, or for TWINT if there is none."""
    billing = _billing({"address": {**NO_ADDRESS}, "email": None, "name": None, "phone": None, "tax_id": None}, {})
    found: Json = {
        "id": new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": given.get("allow_redisplay", "unspecified"),
        "billing_details": _billing(billing, given.get("billing_details") or {}),
        "created": work.now,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": merged({}, given.get("metadata")),
        "type": "card" if card else "twint",
    }
    if card is None:
        found["twint"] = {}
    else:
        found["card"] = _shown(cards.CARDS[card], given.get("card") or {})
    work.store.hide(found["id"], {"card": card})
    return work.add(found)


def shipping(given: Json | None) -> Json | None:
    """Return the shipping address with all its fields; None if it was cleared."""
    return given and {
        "address": {**NO_ADDRESS, **(given.get("address") or {})},
        "name": given.get("name"),
        "phone": given.get("phone"),
    }


def _card(work: RequestContext, given: Json) -> str:
    if "token" in given:
        name = cards.named(given["token"], "tok_")
        if name is None:
            raise unknown("token", given["token"], "card[token]")
        return name
    number = given.get("number")
    if number is None:
        raise missing("card[number]")
    if not work.publishable:
        raise Refused(
            402,
            "invalid_request_error",
            "Sending credit card numbers directly to the Stripe API is generally unsafe. We suggest you use test "
            "tokens "
            "that map to the test card you are using, see https://stripe.com/docs/testing.",
        )
    for name in ("exp_month", "exp_year"):
        if name not in given:
            raise missing(f"card[{name}]")
    name = cards.numbered(number)
    if name is None:
        raise Refused(
            402,
            "card_error",
            "Your card was declined. Your request was in test mode, but used a non test card. For a list of valid test "
            "cards, visit: https://stripe.com/docs/testing.",
            code="card_declined",
            decline_code="test_mode_live_card",
        )
    return name


def _billing(old: Json, new: Json) -> Json:
    address = new.get("address", {})
    changed: dict[str, Any] = {**old, **new}
    changed["address"] = {**NO_ADDRESS} if address is None else {**old["address"], **address}
    return changed


def _shown(card: cards.Card, given: Json) -> Json:
    fingerprint = hashlib.sha256(card.number.encode()).hexdigest()[:16]
    return {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": card.country,
        "display_brand": card.brand if card.brand != "amex" else "american_express",
        "exp_month": given.get("exp_month", 12),
        "exp_year": given.get("exp_year", 2034),
        "fingerprint": fingerprint,
        "funding": card.funding,
        "generated_from": None,
        "last4": card.number[-4:],
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
