"""An organization's money: its payout account at Stripe, its statements, and the trial balance of the ledger."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from marquee.core import database
from marquee.core.errors import Refused
from marquee.core.models import Day, Id
from marquee.edge import http, stripe
from marquee.edge.observability import LambdaContext, count, observed
from marquee.payments import onboarding, statements
from marquee.payments.onboarding import Onboarding, OnboardingRequest, PayoutAccount
from marquee.payments.statements import Statement, TrialBalance

app = http.resolver()

First = Annotated[Day, Query(alias="from", description="The first day, in the organization's time zone.")]
Last = Annotated[Day, Query(alias="to", description="The last day, at most a year after the first.")]
Currency = Annotated[str | None, Query(pattern="^[A-Z]{3}$", description="Default: the organization's currency.")]
LINES: dict[int, Any] = {200: {"description": "A CSV file", "content": {"text/csv": {"schema": {"type": "string"}}}}}


@app.get("/organizations/<organization_id>/payout-account", tags=["payouts"], responses=http.problems(404))
def get_payout_account(organization_id: Annotated[Id, Path()]) -> Response[PayoutAccount]:
    """Get an organization's payout account at Stripe and its capabilities; for the organization's bookkeepers."""
    with database.single(http.caller(app.current_event)) as session:
        return http.json(HTTPStatus.OK, onboarding.account_of(session, organization_id))


@app.post("/organizations/<organization_id>/payout-account", tags=["payouts"], responses=http.problems(403, 404, 409))
def begin_onboarding(
    organization_id: Annotated[Id, Path()], request: Annotated[OnboardingRequest, Body()]
) -> Response[Onboarding]:
    """Get a link to Stripe's sign-up page. The account is created by the first call. For admins and owners."""
    event = app.current_event
    caller, limit = http.caller(event), http.limited(event, "begin_onboarding")
    onboarded = onboarding.start(stripe.client, caller, organization_id, request, limit)
    count("OnboardingBegun")
    return http.json(HTTPStatus.OK, onboarded)


@app.get("/organizations/<organization_id>/statement", tags=["payouts"], responses=http.problems(404))
def get_statement(
    organization_id: Annotated[Id, Path()], first_day: First, last_day: Last, currency: Currency = None
) -> Response[Statement]:
    """Get an organizer's statement: opening balance, movements, closing balance; for its bookkeepers."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "statement")) as session:
        answer = statements.read_statement(session, organization_id, first_day, last_day, currency)
    return http.json(HTTPStatus.OK, answer)


@app.get("/organizations/<organization_id>/statement.csv", tags=["payouts"], responses={**LINES, **http.problems(404)})
def get_statement_lines(
    organization_id: Annotated[Id, Path()], first_day: First, last_day: Last, currency: Currency = None
) -> Response[str]:
    """Get the single movements of a statement as CSV."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "statement")) as session:
        text = statements.as_csv(session, organization_id, first_day, last_day, currency)
    return http.text_of(HTTPStatus.OK, statements.CSV, text)


@app.get("/ledger/trial-balance", tags=["payouts"], responses=http.problems(403), openapi_extensions=http.SERVICE_ONLY)
def get_trial_balance() -> Response[TrialBalance]:
    """Get all accounts by type, for the service role. A correct ledger sums to zero in each currency."""
    caller = http.caller(app.current_event)
    if caller.role != "service_role":
        raise Refused(HTTPStatus.FORBIDDEN, "forbidden", "Only the service role may read the trial balance.")
    with database.single(caller) as session:
        return http.json(HTTPStatus.OK, statements.trial_balance(session))


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Serve a request."""
    return app.resolve(event, context)
