"""POST and GET /promo-codes: promo codes, for staff."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from marquee.core import database, paging
from marquee.core.models import Id
from marquee.edge import http
from marquee.payments import wallets
from marquee.payments.wallets import ListedPromoCode

routes = http.routes()


@routes.post("/promo-codes", tags=["credits"], status_code=201, responses=http.problems(403, 409))
def create_promo_code(request: Annotated[wallets.PromoCodeRequest, Body()]) -> Response[ListedPromoCode]:
    """Create a promo code for an organization's customers: a discount, or bonus credits."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "edit_packages")) as session:
        return http.json(HTTPStatus.CREATED, wallets.create_promo_code(session, request))


@routes.get("/promo-codes", tags=["credits"])
def list_promo_codes(
    organization_id: Annotated[Id, Query()], limit: http.PageSize = paging.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> Response[paging.Page[ListedPromoCode]]:
    """List an organization's promo codes and how often each is in use, newest first; for staff."""
    with database.single(http.caller(routes.current_event)) as session:
        return http.json(HTTPStatus.OK, wallets.promo_codes(session, organization_id, limit, cursor))
