"""Series and events for their organizers: /series, POST and PATCH /events; and the generation of series' events."""

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from marquee.core import clock, database, paging, settings
from marquee.core.models import Id
from marquee.edge import http, queues, schedules, triggers
from marquee.edge.observability import LambdaContext, MetricUnit, count, logger, metrics, observed
from marquee.operations import jobs
from marquee.scheduling import edits, events, generation, series

app = http.resolver()


class GenerateSlice(queues.Message):
    """Series whose events are to be generated."""

    series_ids: list[UUID]


@app.post("/series", tags=["series"], status_code=201, responses=http.problems(403, 404))
def create_series(
    request: Annotated[series.SeriesRequest, Body()], idempotency_key: http.IdempotencyKey = None
) -> Response[series.Series]:
    """Make a series with its events for the next 120 days; for editors of its organization."""
    with database.transaction(http.caller(app.current_event)) as session:
        made = series.create(session, request, idempotency_key, clock.now())
    count("SeriesCreated")
    return http.json(HTTPStatus.CREATED, made)


@app.get("/series", tags=["series"])
def list_series(
    organization_id: Annotated[Id | None, Query(description="One of the caller's organizations.")] = None,
    status: Annotated[series.Status | None, Query()] = None,
    limit: http.PageSize = paging.DEFAULT_LIMIT,
    cursor: http.Cursor = None,
) -> Response[paging.Page[series.Series]]:
    """The series of the caller's organizations."""
    with database.single(http.caller(app.current_event)) as session:
        return http.json(HTTPStatus.OK, series.mine(session, organization_id, status, limit, cursor))


@app.get("/series/<series_id>", tags=["series"], responses=http.problems(404))
def get_series(series_id: Annotated[Id, Path()]) -> Response[series.Series]:
    """A series of an organization that the caller is a member of."""
    with database.single(http.caller(app.current_event)) as session:
        return http.json(HTTPStatus.OK, series.get(session, series_id))


@app.patch("/series/<series_id>", tags=["series"], responses=http.problems(403, 404, 409))
def edit_series(
    series_id: Annotated[Id, Path()], request: Annotated[series.SeriesEdit, Body()]
) -> Response[series.Series]:
    """Edit one event of a series, this and those that follow (which become a series of their own), or all to come."""
    with database.transaction(http.caller(app.current_event)) as session:
        edited = edits.edit(session, series_id, request, clock.now())
    count("SeriesEdited", scope=request.scope)
    return http.json(HTTPStatus.OK, edited)


@app.post("/series/<series_id>/pause", tags=["series"], responses=http.problems(403, 404, 409))
def pause_series(
    series_id: Annotated[Id, Path()], request: Annotated[series.StatusRequest | None, Body()] = None
) -> Response[series.Series]:
    """Make no new events for a while; those that are there stay."""
    return _set_status(series_id, "paused", request)


@app.post("/series/<series_id>/resume", tags=["series"], responses=http.problems(403, 404, 409))
def resume_series(
    series_id: Annotated[Id, Path()], request: Annotated[series.StatusRequest | None, Body()] = None
) -> Response[series.Series]:
    """Make events again, beginning with those that were missed and are still to come."""
    return _set_status(series_id, "active", request)


@app.post("/series/<series_id>/archive", tags=["series"], responses=http.problems(403, 404, 409))
def archive_series(
    series_id: Annotated[Id, Path()], request: Annotated[series.StatusRequest | None, Body()] = None
) -> Response[series.Series]:
    """End a series: coming events that nobody has to do with go, the others stay."""
    return _set_status(series_id, "archived", request)


@app.post("/series/<series_id>/generate", tags=["series"], responses=http.problems(403, 404, 409))
def generate_series(series_id: Annotated[Id, Path()]) -> Response[series.GeneratedEvents]:
    """Make whatever events a series lacks for the next 120 days, now."""
    with database.transaction(http.caller(app.current_event)) as session:
        generated = series.generate(session, series_id, clock.now())
    metrics.add_metric(name="EventsGenerated", unit=MetricUnit.Count, value=generated.events_made)
    return http.json(HTTPStatus.OK, generated)


@app.post("/events", tags=["series"], status_code=201, responses=http.problems(403, 404))
def create_event(
    request: Annotated[events.EventRequest, Body()], idempotency_key: http.IdempotencyKey = None
) -> Response[events.ManagedEvent]:
    """Make an event of no series, as a draft or published; for editors of its organization."""
    with database.single(http.caller(app.current_event)) as session:
        made = events.create(session, request, idempotency_key)
    count("EventCreated")
    return http.json(HTTPStatus.CREATED, made)


@app.patch("/events/<event_id>", tags=["series"], responses=http.problems(403, 404, 409))
def edit_event(
    event_id: Annotated[Id, Path()], request: Annotated[events.EventEdit, Body()]
) -> Response[events.ManagedEvent]:
    """Edit one event; its customers are told of a new time or place."""
    with database.single(http.caller(app.current_event)) as session:
        return http.json(HTTPStatus.OK, events.edit(session, event_id, request))


@app.post("/events/<event_id>/cancel", tags=["series"], responses=http.problems(403, 404, 409))
def cancel_event(
    event_id: Annotated[Id, Path()], request: Annotated[events.EventCancellation | None, Body()] = None
) -> Response[events.ManagedEvent]:
    """Cancel an event and its bookings, which costs the customers nothing; again: the same answer."""
    with database.single(http.caller(app.current_event)) as session:
        cancelled = events.cancel(session, event_id, request.reason if request else None)
    count("EventCancelled")
    return http.json(HTTPStatus.OK, cancelled)


def _set_status(
    series_id: UUID, status: series.Status, request: series.StatusRequest | None
) -> Response[series.Series]:
    with database.transaction(http.caller(app.current_event)) as session:
        reason = request.reason if request else None
        return http.json(HTTPStatus.OK, series.set_status(session, series_id, status, reason, clock.now()))


def generate(message: GenerateSlice, _delivery: queues.Delivery) -> None:
    """Generate the events of a slice of series, a bounded transaction at a time."""
    left = message.series_ids
    while left:
        with database.transaction(database.service()) as session:
            generated = generation.generate(session, left, clock.now())
        metrics.add_metric(name="EventsGenerated", unit=MetricUnit.Count, value=generated.events)
        for series_id in generated.refused:
            logger.error("series_refused", series_id=str(series_id))
            count("SeriesRefused")
        left = list(generated.left)


def receive(event: dict[str, Any], context: LambdaContext) -> Any:
    """The batches of GenerateQueue."""
    return queues.receive(event, context, GenerateSlice, generate)


def run(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The scheduled run: each turn sends the next slice of series that are due to GenerateQueue."""
    last: list[UUID] = []

    def send_slice(_turn: schedules.Turn) -> schedules.Outcome:
        with database.single(database.service()) as session:
            due = generation.due(session, clock.now(), last[-1] if last else None)
        if due:
            queues.send(settings.current().require("generate_queue_url"), GenerateSlice(series_ids=due))
            last.append(due[-1])
        return schedules.Outcome(len(due), more=len(due) == generation.SERIES_PER_SLICE)

    return jobs.recorded("generate_events", lambda: schedules.run(event, context, {"generate_events": send_slice}))


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Answer a request, generate a slice, or start the daily run."""
    return triggers.dispatch(event, context, http=app.resolve, queue=receive, schedule=run)
