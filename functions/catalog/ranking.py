"""GET /ratings/leaderboard, /ratings/items/{item_id}: the scores of organizations that publish them."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from marquee.core import database, identity, paging
from marquee.core.models import Id
from marquee.edge import http
from marquee.rating import scores

SCORE_SECONDS = 5

routes = http.routes()


@routes.get("/ratings/leaderboard", tags=["ratings"], responses=http.problems(304, 404))
def get_leaderboard(
    organization_id: Annotated[Id, Query()], limit: http.PageSize = paging.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> Response[paging.Page[scores.Ranked]]:
    """List an organization's items, best first."""
    with database.single(identity.anonymous()) as session:
        page = scores.leaderboard(session, organization_id, limit, cursor)
    return http.cacheable(routes.current_event, http.json(HTTPStatus.OK, page), seconds=SCORE_SECONDS)


@routes.get("/ratings/items/<item_id>", tags=["ratings"], responses=http.problems(304, 404))
def get_item(
    item_id: Annotated[scores.PathId, Path()], organization_id: Annotated[Id, Query()]
) -> Response[scores.RatedItem]:
    """Get an item's score, its components, its rank and its latest scores."""
    limit = http.limited(routes.current_event, "read_item")
    with database.single(identity.anonymous(), limit=limit) as session:
        item = scores.item(session, organization_id, item_id)
    return http.cacheable(routes.current_event, http.json(HTTPStatus.OK, item), seconds=SCORE_SECONDS)


@routes.get("/ratings/items/<item_id>/history", tags=["ratings"], responses=http.problems(304, 404))
def get_item_history(
    item_id: Annotated[scores.PathId, Path()],
    organization_id: Annotated[Id, Query()],
    limit: http.PageSize = paging.DEFAULT_LIMIT,
    cursor: http.Cursor = None,
) -> Response[paging.Page[scores.PastScore]]:
    """List all scores that an item has had, newest first."""
    with database.single(identity.anonymous()) as session:
        page = scores.history(session, organization_id, item_id, limit, cursor)
    return http.cacheable(routes.current_event, http.json(HTTPStatus.OK, page), seconds=SCORE_SECONDS)
