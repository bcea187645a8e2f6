"""GET /ratings/events, /ratings/voters/{voter_id}: the rating events that were accepted, and the raters."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from marquee.core import clock, database, paging
from marquee.core.models import Id, Moment
from marquee.edge import http
from marquee.rating import activity, scores
from marquee.rating.events import Kind, StoredId

routes = http.routes()


@routes.get("/ratings/events", tags=["ratings"])
def list_rating_events(
    organization_id: Annotated[Id, Query()],
    kind: Annotated[Kind | None, Query()] = None,
    voter_id: Annotated[StoredId | None, Query()] = None,
    since: Annotated[
        Moment | None,
        Query(
            description="Only events accepted at this time or later. Default: the last day. Callers who are not "
            "members get events of the last 31 days at most."
        ),
    ] = None,
    limit: http.PageSize = paging.DEFAULT_LIMIT,
    cursor: http.Cursor = None,
) -> Response[paging.Page[activity.PastEvent]]:
    """List accepted rating events, newest first: all of them for members, the caller's own for others."""
    since = since or clock.now() - activity.LOOK_BACK
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "list_rating_events")) as session:
        page = activity.events(session, organization_id, limit, cursor, since=since, kind=kind, voter_id=voter_id)
    return http.json(HTTPStatus.OK, page)


@routes.get("/ratings/voters/<voter_id>", tags=["ratings"], responses=http.problems(404))
def get_rater(
    voter_id: Annotated[scores.PathId, Path()], organization_id: Annotated[Id, Query()]
) -> Response[activity.Rater]:
    """Get the figures of a rater and their reliability; for members, and for the rater."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "read_records")) as session:
        return http.json(HTTPStatus.OK, activity.rater(session, organization_id, voter_id))
