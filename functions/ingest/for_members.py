"""GET /ratings/members/…: scores of an organization that shows them only to members; the catalog shows the others."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from marquee.core import database, paging
from marquee.core.models import Id
from marquee.edge import http
from marquee.rating import scores

routes = http.routes()


@routes.get("/ratings/members/leaderboard", tags=["ratings"], responses=http.problems(404))
def get_members_leaderboard(
    organization_id: Annotated[Id, Query()], limit: http.PageSize = paging.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> Response[paging.Page[scores.Ranked]]:
    """List an organization's items, best first, if the caller may see them."""
    with database.single(http.caller(routes.current_event)) as session:
        return http.json(HTTPStatus.OK, scores.leaderboard(session, organization_id, limit, cursor))


@routes.get("/ratings/members/items/<item_id>", tags=["ratings"], responses=http.problems(404))
def get_members_item(
    item_id: Annotated[scores.PathId, Path()], organization_id: Annotated[Id, Query()]
) -> Response[scores.RatedItem]:
    """Get an item's score, rank and latest scores, if the caller may see them."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "read_item")) as session:
        return http.json(HTTPStatus.OK, scores.item(session, organization_id, item_id))
