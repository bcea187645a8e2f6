"""Routes of /organizations/{organization_id}/closures: close a period, list closures, end one early."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from marquee.core import database, paging, previews
from marquee.core.models import Id
from marquee.edge import http
from marquee.edge.observability import MetricUnit, count, metrics
from marquee.scheduling import closures, consent

routes = http.routes()

OF_CLOSING: dict[int, Any] = {
    200: {"description": "The preview.", "content": {"application/json": {"model": previews.Preview}}},
    201: {"description": "Closed.", "content": {"application/json": {"model": closures.NewClosure}}},
}


@routes.post(
    "/organizations/<organization_id>/closures",
    tags=["events"],
    status_code=201,
    responses=OF_CLOSING | http.problems(403, 404, 409),
)
def close_period(
    organization_id: Annotated[Id, Path()],
    request: Annotated[closures.ClosureRequest, Body()],
    idempotency_key: http.IdempotencyKey = None,
    *,
    preview: http.Preview = False,
) -> Response[closures.NewClosure | previews.Preview]:
    """Close the organization, a location or a room for a period; its events there are cancelled and refunded."""
    event = routes.current_event
    opened = database.preview if preview else database.single
    with opened(http.caller(event), limit=http.limited(event, "edit_events")) as session:
        if preview:
            closures.close(session, organization_id, consent.given(request), None)
            return http.json(HTTPStatus.OK, previews.effects(session))
        closed = closures.close(session, organization_id, request, idempotency_key)
    count("PeriodClosed")
    metrics.add_metric(name="EventCancelled", unit=MetricUnit.Count, value=closed.cancelled.events)
    return http.json(HTTPStatus.CREATED, closed)


@routes.get("/organizations/<organization_id>/closures", tags=["events"])
def list_closures(
    organization_id: Annotated[Id, Path()],
    limit: http.PageSize = paging.DEFAULT_LIMIT,
    cursor: http.Cursor = None,
) -> Response[paging.Page[closures.Closure]]:
    """List the closures of one of the caller's organizations that are not over, by start."""
    with database.single(http.caller(routes.current_event)) as session:
        return http.json(HTTPStatus.OK, closures.list_upcoming(session, organization_id, limit, cursor))


@routes.delete(
    "/organizations/<organization_id>/closures/<closure_id>",
    tags=["events"],
    status_code=204,
    responses=http.problems(403, 404),
)
def end_closure(organization_id: Annotated[Id, Path()], closure_id: Annotated[Id, Path()]) -> Response[None]:
    """End a closure early. Cancelled events stay cancelled; series get their skipped events by the next day."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "edit_events")) as session:
        closures.end(session, organization_id, closure_id)
    return http.empty()
