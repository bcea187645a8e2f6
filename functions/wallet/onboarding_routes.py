"""/organizations/{organization_id}/payout-account: sign up at Stripe, and read the account's capabilities."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from marquee.core import database
from marquee.core.models import Id
from marquee.edge import http, stripe
from marquee.edge.observability import count
from marquee.payments import onboarding
from marquee.payments.onboarding import Onboarding, OnboardingRequest, PayoutAccount

routes = http.routes()


@routes.get("/organizations/<organization_id>/payout-account", tags=["ledger"], responses=http.problems(404))
def get_payout_account(organization_id: Annotated[Id, Path()]) -> Response[PayoutAccount]:
    """Get an organization's payout account at Stripe and its capabilities; for the organization's bookkeepers."""
    with database.single(http.caller(routes.current_event)) as session:
        return http.json(HTTPStatus.OK, onboarding.account_of(session, organization_id))


@routes.post("/organizations/<organization_id>/payout-account", tags=["ledger"], responses=http.problems(403, 404, 409))
def begin_onboarding(
    organization_id: Annotated[Id, Path()], request: Annotated[OnboardingRequest, Body()]
) -> Response[Onboarding]:
    """Get a link to Stripe's sign-up page. The account is created by the first call. For admins and owners."""
    event = routes.current_event
    caller, limit = http.caller(event), http.limited(event, "begin_onboarding")
    begun = onboarding.begin(stripe.client, caller, organization_id, request, limit)
    count("OnboardingBegun")
    return http.json(HTTPStatus.OK, begun)
