"""Routes of organizations themselves: creation, settings, archive, and the platform's terms."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from marquee.core import database
from marquee.core.errors import Refused
from marquee.core.models import Id
from marquee.edge import http
from marquee.edge.observability import count
from marquee.organizations import settings
from marquee.organizations.settings import OrganizationSettings

routes = http.routes()


@routes.post("/organizations", tags=["organizations"], status_code=201, responses=http.problems(403, 404, 409))
def create_organization(
    request: Annotated[settings.OrganizationRequest, Body()], idempotency_key: http.IdempotencyKey = None
) -> Response[OrganizationSettings]:
    """Create an organization, whose owner is the caller. A platform can reserve this to the service."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "create_organization")) as session:
        made = settings.create(session, request, idempotency_key)
    count("OrganizationCreated")
    return http.json(HTTPStatus.CREATED, made)


@routes.get("/organizations/<organization_id>/settings", tags=["organizations"], responses=http.problems(403, 404))
def get_organization_settings(organization_id: Annotated[Id, Path()]) -> Response[OrganizationSettings]:
    """Get an organization's settings and business details; for its accountants, admins and owners."""
    with database.single(http.caller(routes.current_event)) as session:
        return http.json(HTTPStatus.OK, settings.read(session, organization_id))


@routes.patch("/organizations/<organization_id>", tags=["organizations"], responses=http.problems(403, 404, 409))
def edit_organization(
    organization_id: Annotated[Id, Path()], request: Annotated[settings.OrganizationEdit, Body()]
) -> Response[OrganizationSettings]:
    """Change an organization's settings and business details; for its admins and owners."""
    event = routes.current_event
    with database.transaction(http.caller(event), limit=http.limited(event, "edit_organization")) as session:
        return http.json(HTTPStatus.OK, settings.edit(session, organization_id, request))


@routes.post("/organizations/<organization_id>/archive", tags=["organizations"], responses=http.problems(403, 404))
def archive_organization(organization_id: Annotated[Id, Path()]) -> Response[OrganizationSettings]:
    """Archive an organization: no new bookings, holds, waitlist entries and events. For its owners."""
    return _set_archived(organization_id, archived=True)


@routes.post("/organizations/<organization_id>/reopen", tags=["organizations"], responses=http.problems(403, 404))
def reopen_organization(organization_id: Annotated[Id, Path()]) -> Response[OrganizationSettings]:
    """Open an archived organization again. For its owners."""
    return _set_archived(organization_id, archived=False)


@routes.patch(
    "/organizations/<organization_id>/platform-terms",
    tags=["organizations"],
    responses=http.problems(403, 404),
    openapi_extensions=http.SERVICE_ONLY,
)
def set_platform_terms(
    organization_id: Annotated[Id, Path()], request: Annotated[settings.PlatformTerms, Body()]
) -> Response[OrganizationSettings]:
    """Set the platform's fee and the payment methods of an organization; for the service role alone."""
    caller = http.caller(routes.current_event)
    if caller.role != "service_role":
        raise Refused(HTTPStatus.FORBIDDEN, "forbidden", "Only the service role may set the platform's terms.")
    with database.single(caller) as session:
        return http.json(HTTPStatus.OK, settings.set_platform_terms(session, organization_id, request))


def _set_archived(organization_id: Id, *, archived: bool) -> Response[OrganizationSettings]:
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "edit_organization")) as session:
        return http.json(HTTPStatus.OK, settings.set_archived(session, organization_id, archived=archived))
