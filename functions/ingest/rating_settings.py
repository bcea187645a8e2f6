"""GET, PATCH /ratings/settings: how an organization's items are rated and published."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from marquee.core import database
from marquee.core.models import Id
from marquee.edge import http
from marquee.rating import controls

routes = http.routes()


@routes.get("/ratings/settings", tags=["ratings"], responses=http.problems(404))
def get_rating_settings(organization_id: Annotated[Id, Query()]) -> Response[controls.RatingSettings]:
    """Get the settings by which an organization's items are rated and published."""
    with database.single(http.caller(routes.current_event)) as session:
        return http.json(HTTPStatus.OK, controls.settings(session, organization_id))


@routes.patch("/ratings/settings", tags=["ratings"], responses=http.problems(404))
def edit_rating_settings(request: Annotated[controls.SettingsEdit, Body()]) -> Response[controls.RatingSettings]:
    """Change how items are rated and published; for admins and owners."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "edit_rating_settings")) as session:
        return http.json(HTTPStatus.OK, controls.change_settings(session, request))
