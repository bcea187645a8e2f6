"""GET /health: is Marquee there, and can it work; GET /health/details: the figures behind it, for the service role."""

from http import HTTPStatus
from typing import Any, Literal

from aws_lambda_powertools.event_handler import Response
from pydantic import BaseModel

from marquee.core import database, identity
from marquee.core.errors import Refused
from marquee.edge import http
from marquee.edge.observability import LambdaContext, observed

app = http.resolver()


class Health(BaseModel):
    """`live`: the function runs. `ready`: it reaches its database. `books`: what the last look at the ledger found."""

    live: Literal[True]
    ready: bool
    books: Literal["sound", "unsound", "unknown"]


@app.get("/health", tags=["health"])
def health() -> Response[Health]:
    """Whether Marquee is up and reaches its database; 503 unavailable while it does not."""
    with database.single(identity.anonymous()) as session:
        books = session.value("select payments.books_state()")
    return http.json(HTTPStatus.OK, Health(live=True, ready=True, books=books))


@app.get("/health/details", tags=["health"], responses=http.problems(403))
def details() -> Response[dict[str, Any]]:
    """The state of every check, queue and job; for the service role only."""
    caller = http.caller(app.current_event)
    if caller.role != "service_role":
        raise Refused(HTTPStatus.FORBIDDEN, "forbidden", "The figures are for the service role.")
    with database.single(caller) as session:
        return http.text_json(HTTPStatus.OK, session.value("select ops.get_system_health_summary()::text"))


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer a request."""
    return app.resolve(event, context)
