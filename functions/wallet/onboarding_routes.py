"""/organizations/{organization_id}/payout-account: sign up at Stripe, and see what Stripe lets the account do."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

import stripe_of_purchases
from marquee.core import database
from marquee.core.models import Id
from marquee.edge import http
from marquee.edge.observability import count
from marquee.payments import onboarding
from marquee.payments.onboarding import Onboarding, OnboardingRequest, PayoutAccount

routes = http.routes()


@routes.get("/organizations/<organization_id>/payout-account", tags=["ledger"], responses=http.problems(404))
def get_payout_account(organization_id: Annotated[Id, Path()]) -> Response[PayoutAccount]:
    """An organization's account at Stripe, and what Stripe lets it do; for those who keep its books."""
    with database.single(http.caller(routes.current_event)) as session:
        return http.json(HTTPStatus.OK, onboarding.account_of(session, organization_id))


@routes.post("/organizations/<organization_id>/payout-account", tags=["ledger"], responses=http.problems(403, 404, 409))
def begin_onboarding(
    organization_id: Annotated[Id, Path()], request: Annotated[OnboardingRequest, Body()]
) -> Response[Onboarding]:
    """A page on which to sign up at Stripe; the account is made where there is none, once. For admins and owners."""
    event = routes.current_event
    caller, limit = http.caller(event), http.limited(event, "begin_onboarding")
    begun = onboarding.begin(stripe_of_purchases.connect, caller, organization_id, request, limit)
    count("OnboardingBegun")
    return http.json(HTTPStatus.OK, begun)
