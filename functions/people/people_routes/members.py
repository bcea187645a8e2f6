"""Routes of members, of the caller's own memberships, and of the record of changes."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from marquee.core import database, paging
from marquee.core.models import Id
from marquee.edge import http
from marquee.edge.observability import count
from marquee.people import changes, members

routes = http.routes()


@routes.get("/organizations/<organization_id>/members", tags=["members"], responses=http.problems(403, 404))
def list_members(
    organization_id: Annotated[Id, Path()], limit: http.PageSize = paging.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> Response[paging.Page[members.Member]]:
    """List the members of an organization with their roles; for its owners and admins."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "read_records")) as session:
        return http.json(HTTPStatus.OK, members.list_members(session, organization_id, limit, cursor))


@routes.patch(
    "/organizations/<organization_id>/members/<user_id>", tags=["members"], responses=http.problems(403, 404, 409)
)
def change_role(
    organization_id: Annotated[Id, Path()],
    user_id: Annotated[Id, Path()],
    request: Annotated[members.RoleChange, Body()],
) -> Response[members.Membership]:
    """Give a member another role; for owners, and for admins if neither role is admin."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "members")) as session:
        return http.json(HTTPStatus.OK, members.change_role(session, organization_id, user_id, request))


@routes.delete(
    "/organizations/<organization_id>/members/<user_id>",
    tags=["members"],
    status_code=204,
    responses=http.problems(403, 404),
)
def remove_member(organization_id: Annotated[Id, Path()], user_id: Annotated[Id, Path()]) -> Response[None]:
    """Remove a member, whose rights end at once; for owners, and for admins if the member is no admin."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "members")) as session:
        members.remove(session, organization_id, user_id)
    count("MemberRemoved")
    return http.empty()


@routes.get("/memberships", tags=["members"])
def list_memberships(
    limit: http.PageSize = paging.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> Response[paging.Page[members.OwnMembership]]:
    """List the organizations for which the caller may act, with the caller's role in each."""
    with database.single(http.caller(routes.current_event)) as session:
        return http.json(HTTPStatus.OK, members.list_own(session, limit, cursor))


@routes.delete(
    "/memberships/<organization_id>", tags=["members"], status_code=204, responses=http.problems(403, 404, 409)
)
def leave_organization(organization_id: Annotated[Id, Path()]) -> Response[None]:
    """Leave an organization; the only owner cannot leave."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "members")) as session:
        members.leave(session, organization_id)
    count("MemberLeft")
    return http.empty()


@routes.get("/organizations/<organization_id>/audit", tags=["members"], responses=http.problems(403, 404))
def list_changes(
    organization_id: Annotated[Id, Path()], limit: http.PageSize = paging.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> Response[paging.Page[changes.Change]]:
    """List every change of an organization's settings and people, newest first; for its owners."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "read_records")) as session:
        return http.json(HTTPStatus.OK, changes.list_all(session, organization_id, limit, cursor))
