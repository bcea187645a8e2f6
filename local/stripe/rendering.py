"""The form of an object in a response: time-dependent fields filled in, requested ids expanded."""

import copy
from typing import Any

from local.stripe import deliveries, lists
from local.stripe.errors import malformed
from local.stripe.request_context import RequestContext
from local.stripe.store import Json

DEPTH_MAX = 4
# The kind of the object behind a field, by the object's kind and the field's path.
REFERENCES: dict[str, dict[str, tuple[str, ...]]] = {
    "payment_intent": {
        "customer": ("customer",),
        "payment_method": ("payment_method",),
        "latest_charge": ("charge",),
        "on_behalf_of": ("account",),
        "transfer_data.destination": ("account",),
    },
    "charge": {
        "customer": ("customer",),
        "balance_transaction": ("balance_transaction",),
        "failure_balance_transaction": ("balance_transaction",),
        "payment_intent": ("payment_intent",),
        "on_behalf_of": ("account",),
        "transfer": ("transfer",),
        "source_transfer": ("transfer",),
        "application_fee": ("application_fee",),
        "transfer_data.destination": ("account",),
    },
    "refund": {
        "charge": ("charge",),
        "payment_intent": ("payment_intent",),
        "balance_transaction": ("balance_transaction",),
        "failure_balance_transaction": ("balance_transaction",),
        "transfer_reversal": ("transfer_reversal",),
        "source_transfer_reversal": ("transfer_reversal",),
    },
    "dispute": {"charge": ("charge",), "payment_intent": ("payment_intent",)},
    "balance_transaction": {
        "source": ("charge", "refund", "transfer", "transfer_reversal", "payout", "dispute", "application_fee")
    },
    "transfer": {
        "balance_transaction": ("balance_transaction",),
        "destination": ("account",),
        "destination_payment": ("charge",),
        "source_transaction": ("charge",),
    },
    "transfer_reversal": {
        "balance_transaction": ("balance_transaction",),
        "transfer": ("transfer",),
        "source_refund": ("refund",),
        "destination_payment_refund": ("refund",),
    },
    "payout": {
        "balance_transaction": ("balance_transaction",),
        "failure_balance_transaction": ("balance_transaction",),
        "destination": ("bank_account",),
    },
    "payment_method": {"customer": ("customer",)},
    "application_fee": {
        "account": ("account",),
        "balance_transaction": ("balance_transaction",),
        "charge": ("charge",),
        "originating_transaction": ("charge",),
    },
    "checkout.session": {"customer": ("customer",), "payment_intent": ("payment_intent",)},
}
LISTS = {("charge", "refunds"), ("checkout.session", "line_items")}


def rendered(work: RequestContext, made: Json, expand: list[str]) -> Json:
    """Return a copy for a response. Raises Refused for a field that cannot be expanded."""
    shown = _filled(work, copy.deepcopy(made) if expand else dict(made))
    for path in expand:
        parts = path.split(".")
        if len(parts) - (parts[0] == "data") > DEPTH_MAX:
            raise malformed("You cannot expand more than 4 levels of a property.", param="expand")
        _expand(work, shown, parts, path)
    return shown


def _filled(work: RequestContext, made: Json) -> Json:
    kind = made.get("object")
    if kind == "list":
        made["data"] = [_filled(work, dict(each)) for each in made["data"]]
    elif kind == "balance_transaction":
        made["status"] = "available" if made["available_on"] <= work.now else "pending"
    elif kind == "event":
        made["pending_webhooks"] = deliveries.pending(work.store, made["id"])
    return made


def _expand(work: RequestContext, shown: Json, parts: list[str], path: str) -> None:
    if shown.get("object") == "list":
        if parts[0] != "data":
            raise _refusal(path, f"data.{path}")
        for each in shown["data"]:
            _expand(work, each, parts[1:], path)
        return
    if not parts:
        raise _refusal(path)
    kind = str(shown.get("object"))
    if (kind, parts[0]) in LISTS:
        if not isinstance(shown.get(parts[0]), dict):
            shown[parts[0]] = _list(work, shown, parts[0])
        if len(parts) > 1:
            _expand(work, shown[parts[0]], parts[1:], path)
        return
    references = REFERENCES.get(kind, {})
    here, rest = shown, parts
    name = parts[0]
    if name not in references and len(parts) > 1 and ".".join(parts[:2]) in references:
        name, rest = ".".join(parts[:2]), parts[1:]
        inner = shown.get(parts[0])
        if inner is None:
            return
        here = inner
    elif name not in references:
        value = shown.get(name)
        if len(parts) > 1 and isinstance(value, dict) and "object" in value:
            _expand(work, value, parts[1:], path)
            return
        raise _refusal(path)
    field = rest[0]
    value = here.get(field)
    if isinstance(value, str):
        here[field] = _found(work, value, references[name])
    if len(rest) > 1 and isinstance(here[field], dict):
        _expand(work, here[field], rest[1:], path)


def _found(work: RequestContext, id: str, kinds: tuple[str, ...]) -> Any:
    """Return the object of an id, of this account or (if the platform may see it) of another; else the id."""
    for kind in kinds:
        owner = work.store.owner(kind, id)
        if owner is not None:
            found = work.on(owner).find(kind, id)
            if found is not None:
                return _filled(work, copy.deepcopy(found))
    return id


def _list(work: RequestContext, shown: Json, name: str) -> Json:
    if name == "refunds":
        found = lists.belonging(work, "refund", "charge", shown["id"])
        return lists.inner([copy.deepcopy(each) for each in found], f"/v1/charges/{shown['id']}/refunds")
    items = work.store.hidden(shown["id"])["line_items"]
    return lists.inner(items, f"/v1/checkout/sessions/{shown['id']}/line_items")


def _refusal(path: str, instead: str | None = None) -> Exception:
    hint = f" You may want to try expanding '{instead}' instead." if instead else ""
    return malformed(f"This property cannot be expanded ({path}).{hint}", param="expand")
