"""GET /wallet, POST /credits/grants: a customer's credits. Packages, promo codes and payout accounts are beside it."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

import buying
import codes
import onboarding_routes
import selling
from marquee.core import database
from marquee.core.models import Id
from marquee.edge import http
from marquee.edge.observability import LambdaContext, count, observed
from marquee.payments import wallets

app = http.resolver(selling.routes, buying.routes, codes.routes, onboarding_routes.routes)


@app.get("/wallet", tags=["credits"])
def get_wallet(organization_id: Annotated[Id, Query()]) -> Response[wallets.Wallet]:
    """Get the caller's wallet money and passes at an organization, in the order in which they are used."""
    with database.single(http.caller(app.current_event)) as session:
        return http.json(HTTPStatus.OK, wallets.of_caller(session, organization_id))


@app.post("/credits/grants", tags=["credits"], status_code=201, responses=http.problems(403, 404))
def grant(
    request: Annotated[wallets.GrantRequest, Body()], idempotency_key: http.IdempotencyKey = None
) -> Response[wallets.Credit]:
    """Grant credits to a customer at the organization's expense; for its bookkeepers."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "grant_credits")) as session:
        credit = wallets.grant(session, request, idempotency_key)
    count("CreditGranted")
    return http.json(HTTPStatus.CREATED, credit)


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Serve a request."""
    return app.resolve(event, context)
