"""GET /access-log: who read personal data of an organization's people."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from marquee.core import database, paging
from marquee.edge import http
from marquee.operations import access_log

routes = http.routes()


@routes.get("/access-log", tags=["insights"], responses=http.problems(403))
def list_accesses(
    person_id: Annotated[access_log.PersonId | None, Query()] = None,
    limit: http.PageSize = paging.DEFAULT_LIMIT,
    cursor: http.Cursor = None,
) -> Response[paging.Page[access_log.AccessEntry]]:
    """List reads of personal data of the organization's people, newest first; for admins and owners.

    Entries are kept for 13 months.
    """
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "insights")) as session:
        return http.json(HTTPStatus.OK, access_log.entries(session, person_id, limit, cursor))
