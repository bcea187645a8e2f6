"""POST and GET /series, GET and PATCH /series/{series_id}: series for their organizers."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from marquee.core import clock, database, paging
from marquee.core.models import Id
from marquee.edge import http
from marquee.edge.observability import count
from marquee.scheduling import edits, series

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
        return http.json(HTTPStatus.OK, series.mine(session, organization_id, status, limit, cursor))


@routes.get("/series/<series_id>", tags=["series"], responses=http.problems(404))
def get_series(series_id: Annotated[Id, Path()]) -> Response[series.Series]:
    """Get a series of an organization where the caller is a member."""
    with database.single(http.caller(routes.current_event)) as session:
        return http.json(HTTPStatus.OK, series.get(session, series_id))


@routes.patch("/series/<series_id>", tags=["series"], responses=http.problems(403, 404, 409))
def edit_series(
    series_id: Annotated[Id, Path()], request: Annotated[series.SeriesEdit, Body()]
) -> Response[series.Series]:
    """Edit one event of a series, this and the following events (as a new series), or all future events."""
    event = routes.current_event
    with database.transaction(http.caller(event), limit=http.limited(event, "edit_series")) as session:
        edited = edits.edit(session, series_id, request, clock.now())
    count("SeriesEdited", scope=request.scope)
    return http.json(HTTPStatus.OK, edited)
