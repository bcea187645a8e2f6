"""Connect accounts: create, change, activate them; the links by which their owners sign up."""

from typing import Any

from local.stripe.account_shapes import COUNTRIES, bank_account, new_account, requirements
from local.stripe.account_shapes import capability as shape
from local.stripe.addresses import check_return
from local.stripe.errors import Refused, forbidden, invalid, malformed, unknown
from local.stripe.identity import new_id, new_secret
from local.stripe.lists import PAGE_BY_TIME, page
from local.stripe.money import currency
from local.stripe.parameters import Choice, Fields, Flag, Metadata, Text, Whole, merged
from local.stripe.payment_methods import ADDRESS
from local.stripe.request_context import RequestContext
from local.stripe.routes import Given, route
from local.stripe.store import Json

WORD = Text(clears=True)
CAPABILITIES = ("card_payments", "transfers", "twint_payments")
LINK_SECONDS = 300
ACTIVE, INACTIVE = "active", "inactive"
PERSON = dict.fromkeys(("first_name", "last_name", "email", "phone"), WORD)
FIELDS = {
    "business_profile": Fields(
        kinds={
            "mcc": WORD,
            "name": WORD,
            "product_description": WORD,
            "support_email": WORD,
            "support_phone": WORD,
            "support_url": WORD,
            "url": WORD,
        }
    ),
    "business_type": Choice(words=("company", "government_entity", "individual", "non_profit")),
    "capabilities": Fields(kinds=dict.fromkeys(CAPABILITIES, Fields(kinds={"requested": Flag()}))),
    "company": Fields(kinds={"name": WORD, "phone": WORD, "address": ADDRESS}),
    "default_currency": Text(longest=3),
    "email": WORD,
    "individual": Fields(kinds={**PERSON, "address": ADDRESS}),
    "metadata": Metadata(),
    "settings": Fields(
        kinds={
            "payouts": Fields(
                kinds={
                    "schedule": Fields(kinds={"interval": Choice(words=("manual", "daily", "weekly", "monthly"))}),
                    "statement_descriptor": WORD,
                }
            )
        }
    ),
    "tos_acceptance": Fields(kinds={"date": Whole(), "ip": Text(), "service_agreement": Text(), "user_agent": Text()}),
}
CONTROLLER = Fields(
    kinds={
        "fees": Fields(kinds={"payer": Choice(words=("account", "application"))}),
        "losses": Fields(kinds={"payments": Choice(words=("application", "stripe"))}),
        "requirement_collection": Choice(words=("application", "stripe")),
        "stripe_dashboard": Fields(kinds={"type": Choice(words=("express", "full", "none"))}),
    }
)


@route(
    "POST",
    "/v1/accounts",
    {
        **FIELDS,
        "controller": CONTROLLER,
        "country": Text(longest=2),
        "type": Choice(words=("custom", "express", "standard")),
    },
)
def create(work: RequestContext, given: Given) -> Json:
    """Create a connected account; it has no capability until it is activated."""
    if work.connected:
        raise invalid("Only a platform can create accounts.")
    if "type" in given and "controller" in given:
        raise malformed("You may only specify one of these parameters: type, controller.")
    country = given.get("country", "CH").upper()
    if country not in COUNTRIES:
        raise invalid(f"Country '{country}' is unknown. Try using a 2-character alphanumeric country code.")
    made = new_account(work, new_id("acct", 16), country, given)
    _fill(work, made, given)
    return work.add(made)


@route("GET", "/v1/account")
def retrieve_own(work: RequestContext, _: Given) -> Json:
    """Return the account of the key or of Stripe-Account."""
    return of(work, work.account)


@route("GET", "/v1/accounts/{id}")
def retrieve(work: RequestContext, _: Given, id: str) -> Json:
    """Return an account."""
    if work.connected and id != work.account:
        raise unknown("account", id, "account")
    return of(work, id)


@route("GET", "/v1/accounts", PAGE_BY_TIME)
def list_all(work: RequestContext, given: Given) -> Json:
    """List connected accounts, newest first."""
    return page(work, given, "account", "/v1/accounts")


@route("POST", "/v1/accounts/{id}", FIELDS)
def update(work: RequestContext, given: Given, id: str) -> Json:
    """Change an account."""
    found = of(work, id)
    _fill(work, found, given)
    _tell(work, found)
    return found


@route("DELETE", "/v1/accounts/{id}")
def delete(work: RequestContext, _: Given, id: str) -> Json:
    """Delete an account without money."""
    of(work, id)
    row = work.store.row("select coalesce(sum(net), 0) as n from movements where account = ?", (id,))
    if row is not None and row["n"] != 0:
        raise invalid("You cannot delete an account that has a balance.")
    work.store.run("delete from objects where id = ?", (id,))
    return {"id": id, "object": "account", "deleted": True}


@route(
    "POST",
    "/v1/account_links",
    {
        "account": Text(needed=True),
        "collect": Choice(words=("currently_due", "eventually_due")),
        "collection_options": Fields(
            kinds={
                "fields": Choice(words=("currently_due", "eventually_due")),
                "future_requirements": Choice(words=("include", "omit")),
            }
        ),
        "refresh_url": Text(),
        "return_url": Text(),
        "type": Choice(words=("account_onboarding", "account_update"), needed=True),
    },
)
def link(work: RequestContext, given: Given) -> Json:
    """Return a page on which the owner signs up; it is valid once, for five minutes."""
    account = of(work, given["account"])
    for name in ("refresh_url", "return_url"):
        if name not in given:
            raise malformed(f"Missing required param: {name}.", code="parameter_missing", param=name)
    check_return(given, "refresh_url", "return_url")
    token = new_secret(12)
    expires_at = work.now + LINK_SECONDS
    urls = {"refresh_url": given["refresh_url"], "return_url": given["return_url"]}
    work.store.hide(f"link_{token}", {"account": account["id"], "expires_at": expires_at, **urls})
    return {
        "object": "account_link",
        "created": work.now,
        "expires_at": expires_at,
        "url": f"{work.url}/_stand_in/onboarding/{token}",
    }


@route("POST", "/v1/accounts/{id}/login_links")
def login(work: RequestContext, _: Given, id: str) -> Json:
    """Return a link to the Express dashboard (a page that names the account)."""
    account = of(work, id)
    if account["controller"].get("stripe_dashboard", {}).get("type") != "express":
        raise invalid("Cannot create a login link for an account that has no Express Dashboard.")
    if not account["details_submitted"]:
        raise invalid("Cannot create a login link for an account that has not completed onboarding.")
    return {"object": "login_link", "created": work.now, "url": f"{work.url}/_stand_in/dashboard/{id}"}


@route("GET", "/v1/accounts/{id}/capabilities")
def capabilities(work: RequestContext, _: Given, id: str) -> Json:
    """List the capabilities that an account requested, with their states."""
    account = of(work, id)
    data = [shape(account, name) for name in account["capabilities"]]
    return {"object": "list", "data": data, "has_more": False, "url": f"/v1/accounts/{id}/capabilities"}


@route("GET", "/v1/accounts/{id}/capabilities/{name}")
def capability(work: RequestContext, _: Given, id: str, name: str) -> Json:
    """Return a capability."""
    account = of(work, id)
    if name not in account["capabilities"]:
        raise unknown("capability", name, "capability")
    return shape(account, name)


@route("POST", "/v1/accounts/{id}/capabilities/{name}", {"requested": Flag()})
def request_capability(work: RequestContext, given: Given, id: str, name: str) -> Json:
    """Request a capability, or give it up."""
    account = of(work, id)
    if name not in CAPABILITIES:
        raise unknown("capability", name, "capability")
    _fill(work, account, {"capabilities": {name: given}})
    _tell(work, account)
    if name not in account["capabilities"]:
        raise invalid(f"The capability {name} is not requested.")
    return shape(account, name)


def of(work: RequestContext, id: str) -> Json:
    """Return an account by its id, including the platform's own. Raises Refused if it does not exist."""
    platform = work.on(work.platform)
    found = platform.find("account", id)
    if found is not None:
        return found
    if id == work.platform:
        return platform_account(work)
    raise _no_access(id)


def platform_account(work: RequestContext) -> Json:
    """Return the platform's own account."""
    made = new_account(work, work.platform, "CH", {"type": "standard"})
    made |= {"charges_enabled": True, "payouts_enabled": True, "details_submitted": True}
    made |= {"created": 1_700_000_000, "email": "owner@example.com"}
    made["capabilities"] = {"card_payments": ACTIVE, "transfers": ACTIVE, "twint_payments": ACTIVE}
    made["controller"] = {"type": "account"}
    made["requirements"] = requirements([], None)
    return made


def activated(work: RequestContext, id: str) -> Json:
    """Activate the requested capabilities, as after Stripe has verified the owner."""
    found = of(work, id)
    asked: list[str] = work.store.hidden(id).get("requested") or []
    changed = [name for name in found["capabilities"] if name in asked and found["capabilities"][name] != ACTIVE]
    found["capabilities"] |= dict.fromkeys(changed, ACTIVE)
    found |= {
        "charges_enabled": found["capabilities"].get("card_payments") == ACTIVE,
        "payouts_enabled": True,
        "details_submitted": True,
        "requirements": requirements([], None),
    }
    if not found["external_accounts"]["data"]:
        bank = bank_account(id, found["country"], found["default_currency"])
        work.on(id).add(bank)
        found["external_accounts"] |= {"data": [bank], "total_count": 1}
    _tell(work, found)
    for name in changed:
        work.on(id).emit("capability.updated", shape(found, name), stored=False)
    return found


def restricted(work: RequestContext, id: str) -> Json:
    """Restrict the account until its owner gives more information to Stripe."""
    found = of(work, id)
    found["capabilities"] = dict.fromkeys(found["capabilities"], INACTIVE)
    found |= {
        "charges_enabled": False,
        "payouts_enabled": False,
        "requirements": requirements(["individual.verification.document"], "requirements.past_due"),
    }
    _tell(work, found)
    for name in found["capabilities"]:
        work.on(id).emit("capability.updated", shape(found, name), stored=False)
    return found


def _tell(work: RequestContext, found: Json) -> None:
    work.on(found["id"]).emit("account.updated", found)


def _no_access(id: str) -> Refused:
    return forbidden(id, "sk_test_stand_in")


def _fill(work: RequestContext, made: Json, given: Given) -> None:
    for name in ("business_type", "email"):
        if name in given:
            made[name] = given[name]
    if "default_currency" in given:
        made["default_currency"] = currency(given["default_currency"], "default_currency")
    if "metadata" in given:
        made["metadata"] = merged(made["metadata"], given["metadata"])
    made["business_profile"] = {**made["business_profile"], **given.get("business_profile", {})}
    made["tos_acceptance"] = {**made["tos_acceptance"], **given.get("tos_acceptance", {})}
    payouts: dict[str, Any] = given.get("settings", {}).get("payouts", {})
    made["settings"]["payouts"]["schedule"] |= payouts.get("schedule", {})
    if "statement_descriptor" in payouts:
        made["settings"]["payouts"]["statement_descriptor"] = payouts["statement_descriptor"]
    hidden = work.store.hidden(made["id"])
    asked = set(hidden.get("requested", []))
    for name, wish in given.get("capabilities", {}).items():
        if wish.get("requested"):
            asked.add(name)
            made["capabilities"].setdefault(name, ACTIVE if made["details_submitted"] else INACTIVE)
        elif wish.get("requested") is False:
            asked.discard(name)
            made["capabilities"].pop(name, None)
    work.store.hide(made["id"], {**hidden, "requested": sorted(asked)})
