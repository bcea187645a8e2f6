"""Routes of the tax rates that organizations set for themselves."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from marquee.core import database
from marquee.core.models import Id
from marquee.edge import http
from marquee.organizations import tax_rates

routes = http.routes()


@routes.get("/organizations/<organization_id>/tax-rates", tags=["organizations"], responses=http.problems(403, 404))
def list_tax_rates(organization_id: Annotated[Id, Path()]) -> Response[tax_rates.TaxRates]:
    """List the organization's own tax rates, the latest day first; for members."""
    with database.single(http.caller(routes.current_event)) as session:
        return http.json(HTTPStatus.OK, tax_rates.list_rates(session, organization_id))


@routes.post(
    "/organizations/<organization_id>/tax-rates", tags=["organizations"], responses=http.problems(403, 404, 409)
)
def set_tax_rate(
    organization_id: Annotated[Id, Path()], request: Annotated[tax_rates.TaxRateRequest, Body()]
) -> Response[tax_rates.TaxRate]:
    """Set the tax rate of a category from a day on; for accountants, admins and owners. Earlier quotes keep theirs."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "edit_organization")) as session:
        return http.json(HTTPStatus.OK, tax_rates.set_rate(session, organization_id, request))
