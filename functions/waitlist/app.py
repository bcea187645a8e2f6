"""The waitlist of an event: join, leave, position and offers; entries and promotion for staff; the scheduled run."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from marquee.booking import waitlist
from marquee.core import database, paging
from marquee.core.models import Id
from marquee.edge import dispatch, http, schedules
from marquee.edge.observability import LambdaContext, observed
from marquee.operations import jobs

app = http.resolver()


@app.post("/events/<event_id>/waitlist", tags=["waitlist"], status_code=201, responses=http.problems(403, 404, 409))
def join(
    event_id: Annotated[Id, Path()], request: Annotated[waitlist.JoinRequest | None, Body()] = None
) -> Response[waitlist.JoinedEntry]:
    """Join the waitlist of an event that is full."""
    event, request = app.current_event, request or waitlist.JoinRequest()
    limit = http.limited(event, "join_waitlist", customer_id=request.customer_id)
    with database.single(http.caller(event), limit=limit) as session:
        return http.json(HTTPStatus.CREATED, waitlist.join(session, event_id, request))


@app.get("/events/<event_id>/waitlist", tags=["waitlist"], responses=http.problems(404))
def place(event_id: Annotated[Id, Path()]) -> Response[waitlist.Entry]:
    """Get the caller's position on the waitlist, or the open offer."""
    with database.single(http.caller(app.current_event)) as session:
        return http.json(HTTPStatus.OK, waitlist.place(session, event_id))


@app.delete("/events/<event_id>/waitlist", tags=["waitlist"], responses=http.problems(404, 409))
def leave(event_id: Annotated[Id, Path()]) -> Response[waitlist.Entry]:
    """Leave the waitlist."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "leave_waitlist")) as session:
        return http.json(HTTPStatus.OK, waitlist.leave(session, event_id))


@app.post("/waitlist/<entry_id>/accept", tags=["waitlist"], responses=http.problems(402, 403, 404, 409))
def accept(
    entry_id: Annotated[Id, Path()],
    request: Annotated[waitlist.AcceptRequest | None, Body()] = None,
    idempotency_key: http.IdempotencyKey = None,
) -> Response[waitlist.Entry]:
    """Accept the offered seats and book them."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "accept_offer")) as session:
        entry = waitlist.accept(session, entry_id, request or waitlist.AcceptRequest(), idempotency_key)
    return http.json(HTTPStatus.OK, entry)


@app.post("/waitlist/<entry_id>/decline", tags=["waitlist"], responses=http.problems(404, 409))
def decline(entry_id: Annotated[Id, Path()]) -> Response[waitlist.Entry]:
    """Decline an offer; the seats are offered to the next person at once."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "leave_waitlist")) as session:
        return http.json(HTTPStatus.OK, waitlist.decline(session, entry_id))


@app.get("/events/<event_id>/waitlist/entries", tags=["waitlist"], responses=http.problems(403, 404))
def entries(
    event_id: Annotated[Id, Path()], limit: http.PageSize = paging.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> Response[paging.Page[waitlist.ListedEntry]]:
    """List the waitlist entries of an event, in order; for staff."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "read_records")) as session:
        return http.json(HTTPStatus.OK, waitlist.entries(session, event_id, limit, cursor))


@app.post("/events/<event_id>/waitlist/promote", tags=["waitlist"], responses=http.problems(403, 404))
def promote(event_id: Annotated[Id, Path()]) -> Response[waitlist.Promotion]:
    """Offer free seats to the waitlist now; for staff."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "promote_waitlist")) as session:
        return http.json(HTTPStatus.OK, waitlist.promote(session, event_id))


def expire(_turn: schedules.Turn) -> schedules.Outcome:
    """Expire holds and offers, and offer free seats to waitlists."""
    with database.transaction(database.service()) as session:
        expired = waitlist.expire(session)
        offers = waitlist.promote_all(session)
    return schedules.Outcome(
        expired["holds_expired"] + expired["waits_ended"] + offers, more=expired["more"] or offers > 0
    )


def run(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Run the schedule's job and record its run."""
    return jobs.record_run("promote_waitlist", lambda: schedules.run(event, context, {"promote_waitlist": expire}))


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Serve a request, or run the schedule's job."""
    return dispatch.by_trigger(event, context, http=app.resolve, schedule=run)
