"""Routes of invitations: for owners and admins who send them, and for the invited person."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from marquee.core import database, paging
from marquee.core.models import Id
from marquee.edge import http
from marquee.edge.observability import count
from marquee.people import invitations, members

routes = http.routes()


@routes.post(
    "/organizations/<organization_id>/invitations",
    tags=["members"],
    status_code=201,
    responses=http.problems(403, 404, 409),
)
def invite(
    organization_id: Annotated[Id, Path()], request: Annotated[invitations.InvitationRequest, Body()]
) -> Response[invitations.Invitation]:
    """Invite a person by e-mail, for seven days; for owners, and for admins if the role is not admin."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "invite")) as session:
        made = invitations.create(session, organization_id, request)
    count("MemberInvited")
    return http.json(HTTPStatus.CREATED, made)


@routes.get("/organizations/<organization_id>/invitations", tags=["members"], responses=http.problems(403, 404))
def list_invitations(
    organization_id: Annotated[Id, Path()],
    status: Annotated[invitations.Status | None, Query()] = None,
    limit: http.PageSize = paging.DEFAULT_LIMIT,
    cursor: http.Cursor = None,
) -> Response[paging.Page[invitations.Invitation]]:
    """List an organization's invitations, newest first; for its owners and admins."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "read_records")) as session:
        return http.json(HTTPStatus.OK, invitations.list_all(session, organization_id, status, limit, cursor))


@routes.post("/invitations/<invitation_id>/resend", tags=["members"], responses=http.problems(403, 404, 409))
def resend_invitation(invitation_id: Annotated[Id, Path()]) -> Response[invitations.Invitation]:
    """Send an invitation again with a new code, for seven days from now."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "invite")) as session:
        return http.json(HTTPStatus.OK, invitations.resend(session, invitation_id))


@routes.delete(
    "/invitations/<invitation_id>", tags=["members"], status_code=204, responses=http.problems(403, 404, 409)
)
def revoke_invitation(invitation_id: Annotated[Id, Path()]) -> Response[None]:
    """Revoke a pending invitation, whose code stops working at once."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "members")) as session:
        invitations.revoke(session, invitation_id)
    return http.empty()


@routes.post("/invitations/accept", tags=["members"], responses=http.problems(403, 404, 409))
def accept_invitation(request: Annotated[invitations.InvitationCode, Body()]) -> Response[members.Membership]:
    """Make the caller a member by the code of an invitation to their verified address."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "answer_invitation")) as session:
        member = invitations.accept(session, request)
    count("InvitationAccepted")
    return http.json(HTTPStatus.OK, member)


@routes.post("/invitations/decline", tags=["members"], status_code=204, responses=http.problems(403, 404, 409))
def decline_invitation(request: Annotated[invitations.InvitationCode, Body()]) -> Response[None]:
    """Decline an invitation to the caller's verified address."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "answer_invitation")) as session:
        invitations.decline(session, request)
    return http.empty()
