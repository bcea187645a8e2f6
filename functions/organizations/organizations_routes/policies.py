"""Routes of booking policies."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from marquee.core import database, previews
from marquee.core.models import Id
from marquee.edge import http
from marquee.organizations import policies

routes = http.routes()


@routes.get("/organizations/<organization_id>/policies", tags=["organizations"], responses=http.problems(403, 404))
def list_policies(organization_id: Annotated[Id, Path()]) -> Response[policies.Policies]:
    """List the booking policies, archived ones included; for members."""
    with database.single(http.caller(routes.current_event)) as session:
        return http.json(HTTPStatus.OK, policies.list_policies(session, organization_id))


@routes.post(
    "/organizations/<organization_id>/policies",
    tags=["organizations"],
    status_code=201,
    responses=http.problems(403, 404, 409),
)
def create_policy(
    organization_id: Annotated[Id, Path()], request: Annotated[policies.PolicyRequest, Body()]
) -> Response[policies.Policy]:
    """Create a booking policy; for admins and owners."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "edit_organization")) as session:
        return http.json(HTTPStatus.CREATED, policies.save(session, organization_id, request))


@routes.patch(
    "/organizations/<organization_id>/policies/<policy_id>", tags=["organizations"], responses=http.problems(403, 404)
)
def edit_policy(
    organization_id: Annotated[Id, Path()],
    policy_id: Annotated[Id, Path()],
    request: Annotated[policies.PolicyEdit, Body()],
    *,
    preview: http.Preview = False,
) -> Response[policies.Policy | previews.Preview]:
    """Change a booking policy, archive it, or use it again; for admins and owners."""
    event = routes.current_event
    opened = database.preview if preview else database.single
    with opened(http.caller(event), limit=http.limited(event, "edit_organization")) as session:
        saved = policies.save(session, organization_id, request, policy_id)
        return http.json(HTTPStatus.OK, previews.effects(session) if preview else saved)
