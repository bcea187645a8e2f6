"""Charges: read, list, describe. Only payment intents create them."""

from local.stripe.lists import PAGE, PAGE_BY_TIME, belonging, inner, page
from local.stripe.parameters import Metadata, Text, merged
from local.stripe.request_context import RequestContext
from local.stripe.routes import Given, route
from local.stripe.store import Json

WORD = Text(clears=True)


@route("GET", "/v1/charges/{id}")
def retrieve(work: RequestContext, _: Given, id: str) -> Json:
    """Return a charge."""
    return work.get("charge", id, "id")


@route("GET", "/v1/charges", {**PAGE_BY_TIME, "customer": Text(), "payment_intent": Text(), "transfer_group": Text()})
def list_all(work: RequestContext, given: Given) -> Json:
    """List charges, newest first."""
    filters = {name: given.get(name) for name in ("customer", "payment_intent", "transfer_group")}
    return page(work, given, "charge", "/v1/charges", filters=filters)


@route(
    "POST",
    "/v1/charges/{id}",
    {
        "customer": Text(),
        "description": WORD,
        "metadata": Metadata(),
        "receipt_email": WORD,
        "transfer_group": WORD,
    },
)
def update(work: RequestContext, given: Given, id: str) -> Json:
    """Change the description of a charge."""
    found = work.get("charge", id, "id")
    if "customer" in given:
        found["customer"] = work.get("customer", given["customer"], "customer")["id"]
    for name in ("description", "receipt_email", "transfer_group"):
        if name in given:
            found[name] = given[name]
    if "metadata" in given:
        found["metadata"] = merged(found["metadata"], given["metadata"])
    work.emit("charge.updated", found)
    return found


@route("GET", "/v1/charges/{id}/refunds", PAGE)
def refunds(work: RequestContext, given: Given, id: str) -> Json:
    """List the refunds of a charge."""
    work.get("charge", id, "id")
    return inner(belonging(work, "refund", "charge", id), f"/v1/charges/{id}/refunds", given)
