"""Webhook endpoints: the addresses of events, and their secrets."""

from urllib.parse import urlsplit

from local.stripe.errors import invalid
from local.stripe.event_types import EVENTS
from local.stripe.identity import new_id, new_secret
from local.stripe.lists import PAGE, page
from local.stripe.parameters import Flag, Items, Metadata, Text, merged
from local.stripe.request_context import API_VERSION, RequestContext
from local.stripe.routes import Given, route
from local.stripe.store import Json

LOOPBACK = ("127.0.0.1", "localhost", "::1")
ENDPOINTS_MAX = 16
FIELDS = {"description": Text(clears=True), "metadata": Metadata()}


@route(
    "POST",
    "/v1/webhook_endpoints",
    {
        **FIELDS,
        "api_version": Text(),
        "connect": Flag(),
        "enabled_events": Items(of=Text(), needed=True, most=1000),
        "url": Text(needed=True),
    },
)
def create(work: RequestContext, given: Given) -> Json:
    """Create an endpoint; only this response contains the secret."""
    row = work.store.row(
        "select count(*) as n from objects where account = ? and kind = 'webhook_endpoint'", (work.account,)
    )
    if row is not None and row["n"] >= ENDPOINTS_MAX:
        raise invalid(f"You have reached the maximum of {ENDPOINTS_MAX} test webhook endpoints.")
    secret = f"whsec_{new_secret(32)}"
    made = registered(work, given, secret)
    return {**made, "secret": secret}


@route("GET", "/v1/webhook_endpoints/{id}")
def retrieve(work: RequestContext, _: Given, id: str) -> Json:
    """Return an endpoint."""
    return work.get("webhook_endpoint", id, "webhook_endpoint")


@route("GET", "/v1/webhook_endpoints", PAGE)
def list_all(work: RequestContext, given: Given) -> Json:
    """List endpoints, newest first."""
    return page(work, given, "webhook_endpoint", "/v1/webhook_endpoints")


@route(
    "POST",
    "/v1/webhook_endpoints/{id}",
    {**FIELDS, "disabled": Flag(), "enabled_events": Items(of=Text(), most=1000), "url": Text()},
)
def update(work: RequestContext, given: Given, id: str) -> Json:
    """Change an endpoint, or disable it."""
    found = work.get("webhook_endpoint", id, "webhook_endpoint")
    _fill(found, given)
    return work.save(found)


@route("DELETE", "/v1/webhook_endpoints/{id}")
def delete(work: RequestContext, _: Given, id: str) -> Json:
    """Delete an endpoint; its pending deliveries are dropped."""
    work.get("webhook_endpoint", id, "webhook_endpoint")
    work.store.run("delete from objects where id = ?", (id,))
    work.store.run("delete from hidden where id = ?", (id,))
    return {"id": id, "object": "webhook_endpoint", "deleted": True}


def registered(work: RequestContext, given: Given, secret: str) -> Json:
    """Store an endpoint with a secret."""
    made: Json = {
        "id": new_id("we"),
        "object": "webhook_endpoint",
        "api_version": given.get("api_version"),
        "application": None,
        "created": work.now,
        "description": None,
        "enabled_events": [],
        "livemode": False,
        "metadata": {},
        "status": "enabled",
        "url": "",
    }
    if made["api_version"] not in (None, API_VERSION):
        raise invalid(f"The stand-in speaks the API version {API_VERSION} only.", param="api_version")
    _fill(made, given)
    work.store.hide(made["id"], {"secret": secret, "connect": bool(given.get("connect"))})
    return work.add(made)


def rolled(work: RequestContext, id: str, secret: str, until: float) -> Json:
    """Give an endpoint another secret; until then the old one signs too."""
    found = work.get("webhook_endpoint", id, "webhook_endpoint")
    hidden = work.store.hidden(id)
    old = {"old_secret": hidden["secret"], "old_until": until}
    work.store.hide(id, {**hidden, **old, "secret": secret})
    return {**found, "secret": secret}


def _fill(made: Json, given: Given) -> None:
    if "url" in given:
        parts = urlsplit(given["url"])
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise invalid(
                "Invalid URL: An explicit scheme (such as https) must be provided.", code="url_invalid", param="url"
            )
        if parts.hostname not in LOOPBACK:
            raise invalid(
                "Invalid URL: the stand-in sends webhooks to this machine only.", code="url_invalid", param="url"
            )
        made["url"] = given["url"]
    if "enabled_events" in given:
        strange = next((each for each in given["enabled_events"] if each != "*" and each not in EVENTS), None)
        if strange is not None or not given["enabled_events"]:
            raise invalid(f"The event type `{strange}` is not one that is sent.", param="enabled_events")
        made["enabled_events"] = given["enabled_events"]
    if "description" in given:
        made["description"] = given["description"]
    if "metadata" in given:
        made["metadata"] = merged(made["metadata"], given["metadata"])
    if "disabled" in given:
        made["status"] = "disabled" if given["disabled"] else "enabled"
