"""POST /series/{series_id}/pause, /resume, /archive, /generate: whether a series makes events, and to make them now."""

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
    """Make no new events for a while; those that are there stay."""
    return _set_status(series_id, "paused", request)


@routes.post("/series/<series_id>/resume", tags=["series"], responses=http.problems(403, 404, 409))
def resume_series(
    series_id: Annotated[Id, Path()], request: Annotated[series.StatusRequest | None, Body()] = None
) -> Response[series.Series]:
    """Make events again, beginning with those that were missed and are still to come."""
    return _set_status(series_id, "active", request)


@routes.post("/series/<series_id>/archive", tags=["series"], responses=http.problems(403, 404, 409))
def archive_series(
    series_id: Annotated[Id, Path()], request: Annotated[series.StatusRequest | None, Body()] = None
) -> Response[series.Series]:
    """End a series: coming events that nobody has to do with go, the others stay."""
    return _set_status(series_id, "archived", request)


@routes.post("/series/<series_id>/generate", tags=["series"], responses=http.problems(403, 404, 409))
def generate_series(series_id: Annotated[Id, Path()]) -> Response[series.GeneratedEvents]:
    """Make whatever events a series lacks for the next 120 days, now."""
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
