"""The waitlist of an event: join, leave, one's place, offers; for staff its entries and a push; its scheduled run."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from marquee.booking import waitlist
from marquee.core import database, paging
from marquee.core.models import Id
from marquee.edge import http, schedules, triggers
from marquee.edge.observability import LambdaContext, observed
from marquee.operations import jobs

app = http.resolver()


@app.post("/events/<event_id>/waitlist", tags=["waitlist"], status_code=201, responses=http.problems(403, 404, 409))
def join(
    event_id: Annotated[Id, Path()], request: Annotated[waitlist.JoinRequest | None, Body()] = None
) -> Response[waitlist.Entry]:
    """Wait for seats at an event that is full."""
    with database.single(http.caller(app.current_event)) as session:
        return http.json(HTTPStatus.CREATED, waitlist.join(session, event_id, request or waitlist.JoinRequest()))


@app.get("/events/<event_id>/waitlist", tags=["waitlist"], responses=http.problems(404))
def place(event_id: Annotated[Id, Path()]) -> Response[waitlist.Entry]:
    """One's own place in the queue, or the offer that is open."""
    with database.single(http.caller(app.current_event)) as session:
        return http.json(HTTPStatus.OK, waitlist.place(session, event_id))


@app.delete("/events/<event_id>/waitlist", tags=["waitlist"], responses=http.problems(404, 409))
def leave(event_id: Annotated[Id, Path()]) -> Response[waitlist.Entry]:
    """Stop waiting."""
    with database.single(http.caller(app.current_event)) as session:
        return http.json(HTTPStatus.OK, waitlist.leave(session, event_id))


@app.get("/events/<event_id>/waitlist/entries", tags=["waitlist"], responses=http.problems(403, 404))
def entries(
    event_id: Annotated[Id, Path()], limit: http.PageSize = paging.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> Response[paging.Page[waitlist.ListedEntry]]:
    """Who waits, in order; for staff."""
    with database.single(http.caller(app.current_event)) as session:
        return http.json(HTTPStatus.OK, waitlist.entries(session, event_id, limit, cursor))


@app.post("/events/<event_id>/waitlist/promote", tags=["waitlist"], responses=http.problems(403, 404))
def promote(event_id: Annotated[Id, Path()]) -> Response[waitlist.Promotion]:
    """Offer free seats now; for staff."""
    with database.single(http.caller(app.current_event)) as session:
        return http.json(HTTPStatus.OK, waitlist.promote(session, event_id))


@app.post("/waitlist/<entry_id>/accept", tags=["waitlist"], responses=http.problems(402, 403, 404, 409))
def accept(
    entry_id: Annotated[Id, Path()],
    request: Annotated[waitlist.AcceptRequest | None, Body()] = None,
    idempotency_key: http.IdempotencyKey = None,
) -> Response[waitlist.Entry]:
    """Take the seats that were offered."""
    with database.single(http.caller(app.current_event)) as session:
        entry = waitlist.accept(session, entry_id, request or waitlist.AcceptRequest(), idempotency_key)
    return http.json(HTTPStatus.OK, entry)


@app.post("/waitlist/<entry_id>/decline", tags=["waitlist"], responses=http.problems(404, 409))
def decline(entry_id: Annotated[Id, Path()]) -> Response[waitlist.Entry]:
    """Say no to an offer; the seats go to the next person at once."""
    with database.single(http.caller(app.current_event)) as session:
        return http.json(HTTPStatus.OK, waitlist.decline(session, entry_id))


def expire(_turn: schedules.Turn) -> schedules.Outcome:
    """Let lapsed holds and offers go, and see that no free seat waits for somebody who waits for it."""
    with database.transaction(database.service()) as session:
        expired = waitlist.expire(session)
        offers = waitlist.promote_all(session)
    return schedules.Outcome(
        expired["holds_expired"] + expired["waits_ended"] + offers, more=expired["more"] or offers > 0
    )


def run(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The scheduled run."""
    return jobs.recorded("promote_waitlist", lambda: schedules.run(event, context, {"promote_waitlist": expire}))


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Answer a request, or run the schedule's job."""
    return triggers.dispatch(event, context, http=app.resolve, schedule=run)
