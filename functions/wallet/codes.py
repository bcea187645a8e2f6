"""POST and GET /promo-codes: codes that make things cheaper, for staff."""

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
    """Let an organization's customers book with a code: for less, or for credits on top."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "edit_packages")) as session:
        return http.json(HTTPStatus.CREATED, wallets.create_promo_code(session, request))


@routes.get("/promo-codes", tags=["credits"])
def list_promo_codes(
    organization_id: Annotated[Id, Query()], limit: http.PageSize = paging.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> Response[paging.Page[ListedPromoCode]]:
    """An organization's codes and how often they are in use, newest first; for its staff."""
    with database.single(http.caller(routes.current_event)) as session:
        return http.json(HTTPStatus.OK, wallets.promo_codes(session, organization_id, limit, cursor))
