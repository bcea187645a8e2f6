"""Events, newest first."""

from local.stripe.errors import malformed
from local.stripe.lists import PAGE_BY_TIME, page
from local.stripe.parameters import Items, Text
from local.stripe.request_context import RequestContext
from local.stripe.routes import Given, route
from local.stripe.store import Json


@route("GET", "/v1/events/{id}")
def retrieve(work: RequestContext, _: Given, id: str) -> Json:
    """Return an event."""
    return work.get("event", id, "id")


@route("GET", "/v1/events", {**PAGE_BY_TIME, "type": Text(), "types": Items(of=Text(), most=20)})
def list_all(work: RequestContext, given: Given) -> Json:
    """List events, all or of some types."""
    if "type" in given and "types" in given:
        raise malformed("You may not specify both `type` and `types`.", param="types")
    types = given.get("types", given.get("type"))
    return page(work, given, "event", "/v1/events", filters={"type": types})
