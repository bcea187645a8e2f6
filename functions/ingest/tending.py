"""POST /ratings/items/dirty, GET /ratings/status, POST /ratings/restart: operation of the ratings."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

import waking
from marquee.core import database
from marquee.core.models import Id
from marquee.edge import http
from marquee.rating import activity, controls

routes = http.routes()


@routes.post("/ratings/items/dirty", tags=["ratings"], responses=http.problems(404))
def mark_items_dirty(request: Annotated[controls.DirtyRequest, Body()]) -> Response[controls.ItemsMarked]:
    """Mark items so that they are counted and published again; for staff."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "recount_items")) as session:
        marked = controls.mark_dirty(session, request.organization_id, request.item_ids, request.priority)
    waking.wake("items")
    return http.json(HTTPStatus.OK, marked)


@routes.get("/ratings/status", tags=["ratings"])
def get_rating_status(organization_id: Annotated[Id | None, Query()] = None) -> Response[activity.PipelineStatus]:
    """Get the state of the rating pipeline: queued items, their delay, the latest batches.

    For members; the service sees all organizations together.
    """
    with database.single(http.caller(routes.current_event)) as session:
        return http.json(HTTPStatus.OK, activity.status(session, organization_id))


@routes.post("/ratings/restart", tags=["ratings"], status_code=202, responses=http.problems(404))
def restart_ratings(request: Annotated[controls.RestartRequest, Body()]) -> Response[controls.RatingsRestarted]:
    """Count all events again, for example after a change of the model; for owners.

    Scores stay until they are replaced.
    """
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "restart_ratings")) as session:
        restarted = controls.restart(session, request.organization_id)
    waking.wake("items")
    return http.json(HTTPStatus.ACCEPTED, restarted)
