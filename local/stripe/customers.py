"""Customers."""

from local.stripe.errors import invalid
from local.stripe.identity import new_id, new_secret
from local.stripe.lists import PAGE_BY_TIME, page
from local.stripe.parameters import Fields, Items, Metadata, Text, merged
from local.stripe.payment_methods import ADDRESS, NO_ADDRESS, attached, shipping, usable
from local.stripe.request_context import RequestContext
from local.stripe.routes import Given, route
from local.stripe.store import Json

WORD = Text(clears=True)
SHIPPING = Fields(clears=True, kinds={"address": ADDRESS, "name": Text(), "phone": WORD})
FIELDS = {
    "address": ADDRESS,
    "description": WORD,
    "email": Text(clears=True, longest=512),
    "metadata": Metadata(),
    "name": Text(clears=True, longest=256),
    "phone": Text(clears=True, longest=20),
    "preferred_locales": Items(of=Text()),
    "shipping": SHIPPING,
    "invoice_settings": Fields(kinds={"default_payment_method": WORD}),
}


@route("POST", "/v1/customers", {**FIELDS, "payment_method": Text()})
def create(work: RequestContext, given: Given) -> Json:
    """Create a customer."""
    made: Json = {
        "id": new_id("cus", 14),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": work.now,
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": new_secret(8).upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }
    _fill(work, made, given)
    work.add(made)
    if "payment_method" in given:
        attached(work, usable(work, given["payment_method"], "payment_method"), made["id"])
    work.emit("customer.created", made)
    return made


@route("GET", "/v1/customers/{id}")
def retrieve(work: RequestContext, _: Given, id: str) -> Json:
    """Return a customer; only a stub of a deleted one."""
    gone = work.find("deleted_customer", id)
    return {"id": id, "object": "customer", "deleted": True} if gone else work.get("customer", id, "id")


@route("POST", "/v1/customers/{id}", FIELDS)
def update(work: RequestContext, given: Given, id: str) -> Json:
    """Change a customer."""
    found = work.get("customer", id, "id")
    _fill(work, found, given)
    work.emit("customer.updated", found)
    return found


@route("DELETE", "/v1/customers/{id}")
def delete(work: RequestContext, _: Given, id: str) -> Json:
    """Delete a customer; the payments stay."""
    found = work.get("customer", id, "id")
    work.emit("customer.deleted", found)
    work.store.run("update objects set kind = 'deleted_customer' where id = ?", (id,))
    return {"id": id, "object": "customer", "deleted": True}


@route("GET", "/v1/customers", {**PAGE_BY_TIME, "email": Text(longest=512)})
def list_all(work: RequestContext, given: Given) -> Json:
    """List customers, newest first."""
    return page(work, given, "customer", "/v1/customers", filters={"email": given.get("email")})


def _fill(work: RequestContext, made: Json, given: Given) -> None:
    for name in ("description", "email", "name", "phone"):
        if name in given:
            made[name] = given[name]
    if made["email"] is not None and "@" not in made["email"]:
        raise invalid(f"Invalid email address: {made['email']}", code="email_invalid", param="email")
    if "address" in given:
        made["address"] = given["address"] and {**NO_ADDRESS, **given["address"]}
    if "shipping" in given:
        made["shipping"] = shipping(given["shipping"])
    if "metadata" in given:
        made["metadata"] = merged(made["metadata"], given["metadata"])
    made["preferred_locales"] = given.get("preferred_locales", made["preferred_locales"])
    method = given.get("invoice_settings", {}).get("default_payment_method")
    if method is not None:
        work.get("payment_method", method, "invoice_settings[default_payment_method]")
        made["invoice_settings"]["default_payment_method"] = method
