"""Routes of /series: create, list, read and edit series, change their status, and generate their events now."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from marquee.core import clock, database, paging, previews
from marquee.core.models import Id
from marquee.edge import http
from marquee.edge.observability import MetricUnit, count, metrics
from marquee.scheduling import consent, edits, series

routes = http.routes()


@routes.post("/series", tags=["series"], status_code=201, responses=http.problems(403, 404, 409))
def create_series(
    request: Annotated[series.SeriesRequest, Body()], idempotency_key: http.IdempotencyKey = None
) -> Response[series.Series]:
    """Create a series with its events for the next 120 days; for editors of the organization."""
    event = routes.current_event
    with database.transaction(http.caller(event), limit=http.limited(event, "edit_series")) as session:
        made = series.create(session, request, idempotency_key, clock.now())
    count("SeriesCreated")
    return http.json(HTTPStatus.CREATED, made)


@routes.get("/series", tags=["series"])
def list_series(
    organization_id: Annotated[Id | None, Query(description="One of the caller's organizations.")] = None,
    status: Annotated[series.Status | None, Query()] = None,
    limit: http.PageSize = paging.DEFAULT_LIMIT,
    cursor: http.Cursor = None,
) -> Response[paging.Page[series.Series]]:
    """List the series of the caller's organizations."""
    with database.single(http.caller(routes.current_event)) as session:
        return http.json(HTTPStatus.OK, series.list_own(session, organization_id, status, limit, cursor))


@routes.get("/series/<series_id>", tags=["series"], responses=http.problems(404))
def get_series(series_id: Annotated[Id, Path()]) -> Response[series.Series]:
    """Get a series of an organization where the caller is a member."""
    with database.single(http.caller(routes.current_event)) as session:
        return http.json(HTTPStatus.OK, series.get(session, series_id))


@routes.patch("/series/<series_id>", tags=["series"], responses=http.problems(403, 404, 409))
def edit_series(
    series_id: Annotated[Id, Path()], request: Annotated[series.SeriesEdit, Body()], *, preview: http.Preview = False
) -> Response[series.EditedSeries | previews.Preview]:
    """Edit one event of a series, this and the following events (as a new series), or all future events."""
    event = routes.current_event
    opened = database.preview if preview else database.transaction
    with opened(http.caller(event), limit=http.limited(event, "edit_series")) as session:
        edited = edits.edit(session, series_id, consent.given(request) if preview else request, clock.now())
        if preview:
            return http.json(HTTPStatus.OK, previews.effects(session))
    count("SeriesEdited", scope=request.scope)
    return http.json(HTTPStatus.OK, edited)


@routes.post("/series/<series_id>/pause", tags=["series"], responses=http.problems(403, 404, 409))
def pause_series(
    series_id: Annotated[Id, Path()], request: Annotated[series.StatusRequest | None, Body()] = None
) -> Response[series.Series]:
    """Pause a series, so that it gets no new events; existing events stay."""
    return _set_status(series_id, "paused", request)


@routes.post("/series/<series_id>/resume", tags=["series"], responses=http.problems(403, 404, 409))
def resume_series(
    series_id: Annotated[Id, Path()], request: Annotated[series.StatusRequest | None, Body()] = None
) -> Response[series.Series]:
    """Resume a series, and create the future events that it missed."""
    return _set_status(series_id, "active", request)


@routes.post("/series/<series_id>/archive", tags=["series"], responses=http.problems(403, 404, 409))
def archive_series(
    series_id: Annotated[Id, Path()], request: Annotated[series.StatusRequest | None, Body()] = None
) -> Response[series.Series]:
    """Archive a series: future events without bookings, holds or waitlist entries are deleted, the others stay."""
    return _set_status(series_id, "archived", request)


@routes.post("/series/<series_id>/generate", tags=["series"], responses=http.problems(403, 404, 409))
def generate_series(series_id: Annotated[Id, Path()]) -> Response[series.GeneratedEvents]:
    """Generate the missing events of a series for the next 120 days now."""
    event = routes.current_event
    with database.transaction(http.caller(event), limit=http.limited(event, "edit_series")) as session:
        generated = series.generate(session, series_id, clock.now())
    metrics.add_metric(name="EventsGenerated", unit=MetricUnit.Count, value=generated.events_made)
    return http.json(HTTPStatus.OK, generated)


def _set_status(
    series_id: UUID, status: series.Status, request: series.StatusRequest | None
) -> Response[series.Series]:
    event = routes.current_event
    with database.transaction(http.caller(event), limit=http.limited(event, "edit_series")) as session:
        reason = request.reason if request else None
        return http.json(HTTPStatus.OK, series.set_status(session, series_id, status, reason, clock.now()))
