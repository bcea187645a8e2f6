"""Routes of single events: create, edit, cancel, copy, and substitute the instructor."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from marquee.booking import access_links
from marquee.core import database, previews
from marquee.core.models import Id
from marquee.edge import http
from marquee.edge.observability import count
from marquee.scheduling import consent, events

routes = http.routes()


@routes.post("/events", tags=["events"], status_code=201, responses=http.problems(403, 404, 409))
def create_event(
    request: Annotated[events.EventRequest, Body()], idempotency_key: http.IdempotencyKey = None
) -> Response[events.ManagedEvent]:
    """Create an event outside any series, as a draft or published; for editors of the organization."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "edit_events")) as session:
        made = events.create(session, request, idempotency_key)
    count("EventCreated")
    return http.json(HTTPStatus.CREATED, made)


@routes.patch("/events/<event_id>", tags=["events"], responses=http.problems(403, 404, 409))
def edit_event(
    event_id: Annotated[Id, Path()], request: Annotated[events.EventEdit, Body()], *, preview: http.Preview = False
) -> Response[events.EditedEvent | previews.Preview]:
    """Edit one event; its customers are notified of a new time or place."""
    event = routes.current_event
    opened = database.preview if preview else database.single
    with opened(http.caller(event), limit=http.limited(event, "edit_events")) as session:
        edited = events.edit(session, event_id, consent.given(request) if preview else request)
        return http.json(HTTPStatus.OK, previews.effects(session) if preview else edited)


@routes.post("/events/<event_id>/cancel", tags=["events"], responses=http.problems(403, 404, 409))
def cancel_event(
    event_id: Annotated[Id, Path()],
    request: Annotated[events.EventCancellation | None, Body()] = None,
    *,
    preview: http.Preview = False,
) -> Response[events.ManagedEvent | previews.Preview]:
    """Cancel an event and its bookings, free of charge for the customers. A second call returns the same response."""
    event = routes.current_event
    opened = database.preview if preview else database.single
    with opened(http.caller(event), limit=http.limited(event, "edit_events")) as session:
        cancelled = events.cancel(session, event_id, request.reason if request else None)
        if preview:
            return http.json(HTTPStatus.OK, previews.effects(session))
    count("EventCancelled")
    return http.json(HTTPStatus.OK, cancelled)


@routes.post("/events/<event_id>/substitute", tags=["events"], responses=http.problems(403, 404, 409))
def substitute_instructor(
    event_id: Annotated[Id, Path()], request: Annotated[events.Substitution, Body()]
) -> Response[events.ManagedEvent]:
    """Let another instructor lead one event; its customers are notified, and staff see who is absent."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "edit_events")) as session:
        substituted = events.substitute(session, event_id, request)
    count("InstructorSubstituted")
    return http.json(HTTPStatus.OK, substituted)


@routes.post("/events/<event_id>/copy", tags=["events"], status_code=201, responses=http.problems(403, 404, 409))
def copy_event(
    event_id: Annotated[Id, Path()],
    request: Annotated[events.EventCopy, Body()],
    idempotency_key: http.IdempotencyKey = None,
) -> Response[events.ManagedEvent]:
    """Copy an event to another time, without its bookings: a draft, or published."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "edit_events")) as session:
        made = events.copy(session, event_id, request, idempotency_key)
    count("EventCreated")
    return http.json(HTTPStatus.CREATED, made)


@routes.get("/events/<event_id>/links", tags=["events"], responses=http.problems(403, 404))
def list_access_links(event_id: Annotated[Id, Path()]) -> Response[access_links.AccessLinks]:
    """List the secret links of an event, without their secrets; for editors of the organization."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "read_records")) as session:
        return http.json(HTTPStatus.OK, access_links.list_links(session, event_id))


@routes.post("/events/<event_id>/links", tags=["events"], status_code=201, responses=http.problems(403, 404, 409))
def create_access_link(event_id: Annotated[Id, Path()]) -> Response[access_links.NewAccessLink]:
    """Create a secret link and a code, by which people see and book a private event. They are shown this once."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "edit_events")) as session:
        return http.json(HTTPStatus.CREATED, access_links.create(session, event_id))


@routes.delete("/events/<event_id>/links/<link_id>", tags=["events"], responses=http.problems(403, 404))
def revoke_access_link(
    event_id: Annotated[Id, Path()], link_id: Annotated[Id, Path()]
) -> Response[access_links.AccessLink]:
    """Revoke a secret link and its code; bookings that were made by it stay."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "edit_events")) as session:
        return http.json(HTTPStatus.OK, access_links.revoke(session, event_id, link_id))
