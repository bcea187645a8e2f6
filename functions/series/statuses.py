"""POST /series/{series_id}/pause, /resume, /archive, /generate: the status of a series, and immediate generation."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from marquee.core import clock, database
from marquee.core.models import Id
from marquee.edge import http
from marquee.edge.observability import MetricUnit, metrics
from marquee.scheduling import series

routes = http.routes()


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
