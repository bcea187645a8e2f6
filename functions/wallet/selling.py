"""GET and POST /packages: credits that organizations sell."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from marquee.core import database, paging
from marquee.core.models import Id
from marquee.edge import http
from marquee.payments import packages
from marquee.payments.packages import Package

routes = http.routes()


@routes.get("/packages", tags=["credits"])
def list_packages(
    organization_id: Annotated[Id, Query()], limit: http.PageSize = paging.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> Response[paging.Page[Package]]:
    """List the packages that an organization sells, newest first."""
    with database.single(http.caller(routes.current_event)) as session:
        return http.json(HTTPStatus.OK, packages.on_sale(session, organization_id, limit, cursor))


@routes.post("/packages", tags=["credits"], status_code=201, responses=http.problems(403))
def create_package(request: Annotated[packages.PackageRequest, Body()]) -> Response[Package]:
    """Put a package of credits up for sale; for admins and owners of the organization."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "edit_packages")) as session:
        return http.json(HTTPStatus.CREATED, packages.create(session, request))


@routes.post("/packages/<package_id>/end", tags=["credits"], responses=http.problems(404))
def end_package(package_id: Annotated[Id, Path()]) -> Response[Package]:
    """Take a package off sale; credits that were sold stay valid."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "edit_packages")) as session:
        return http.json(HTTPStatus.OK, packages.end(session, package_id))
