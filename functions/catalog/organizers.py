"""GET /organizations, one organization, its locations: the public pages of organizers."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path

from marquee.catalog import organizations
from marquee.core import database, identity, paging
from marquee.core.models import Id
from marquee.edge import http

LIST_SECONDS = 60
BRANDING_SECONDS = 3600
PLACES_SECONDS = 300

routes = http.routes()


@routes.get("/organizations", tags=["catalog"], responses=http.problems(304))
def list_organizations(
    limit: http.PageSize = paging.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> Response[paging.Page[organizations.OrganizationListing]]:
    """List all organizations, by slug."""
    with database.single(identity.anonymous()) as session:
        page = organizations.organizations(session, limit, cursor)
    return http.cacheable(routes.current_event, http.json(HTTPStatus.OK, page), seconds=LIST_SECONDS)


@routes.get("/organizations/<organization_id>", tags=["catalog"], responses=http.problems(304, 404))
def get_organization(organization_id: Annotated[Id, Path()]) -> Response[organizations.Organization]:
    """Get an organization with its branding."""
    with database.single(identity.anonymous()) as session:
        organization = organizations.organization(session, organization_id)
    return http.cacheable(routes.current_event, http.json(HTTPStatus.OK, organization), seconds=BRANDING_SECONDS)


@routes.get("/organizations/<organization_id>/locations", tags=["catalog"], responses=http.problems(304, 404))
def list_locations(organization_id: Annotated[Id, Path()]) -> Response[organizations.Locations]:
    """List the locations of an organization's events."""
    with database.single(identity.anonymous()) as session:
        locations = organizations.locations(session, organization_id)
    return http.cacheable(routes.current_event, http.json(HTTPStatus.OK, locations), seconds=PLACES_SECONDS)
