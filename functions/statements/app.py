"""The books as people see them: organizers' statements, as figures and as lines, and the trial balance."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from marquee.core import database
from marquee.core.errors import Refused
from marquee.core.models import Day, Id
from marquee.edge import http
from marquee.edge.observability import LambdaContext, observed
from marquee.payments import statements
from marquee.payments.statements import Statement, TrialBalance

app = http.resolver()

First = Annotated[Day, Query(alias="from", description="In the organization's time zone.")]
Last = Annotated[Day, Query(alias="to", description="At most a year after the first day.")]
Currency = Annotated[str | None, Query(pattern="^[A-Z]{3}$", description="The organization's own, if left out.")]
LINES: dict[int, Any] = {200: {"description": "Lines", "content": {"text/csv": {"schema": {"type": "string"}}}}}


@app.get("/organizations/<organization_id>/statement", tags=["ledger"], responses=http.problems(404))
def get_statement(
    organization_id: Annotated[Id, Path()], first_day: First, last_day: Last, currency: Currency = None
) -> Response[Statement]:
    """What an organizer had with us, what moved, and what it has; for those who keep its money."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "statement")) as session:
        answer = statements.of_organizer(session, organization_id, first_day, last_day, currency)
    return http.json(HTTPStatus.OK, answer)


@app.get("/organizations/<organization_id>/statement.csv", tags=["ledger"], responses={**LINES, **http.problems(404)})
def get_statement_lines(
    organization_id: Annotated[Id, Path()], first_day: First, last_day: Last, currency: Currency = None
) -> Response[str]:
    """The single movements of a statement, as CSV."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "statement")) as session:
        text = statements.as_csv(session, organization_id, first_day, last_day, currency)
    return http.text_of(HTTPStatus.OK, statements.CSV, text)


@app.get("/ledger/trial-balance", tags=["ledger"], responses=http.problems(403))
def get_trial_balance() -> Response[TrialBalance]:
    """All accounts by type, for the service role: sound books come to zero in each currency."""
    caller = http.caller(app.current_event)
    if caller.role != "service_role":
        raise Refused(HTTPStatus.FORBIDDEN, "forbidden", "The books are for the service role.")
    with database.single(caller) as session:
        return http.json(HTTPStatus.OK, statements.trial_balance(session))


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer a request."""
    return app.resolve(event, context)
