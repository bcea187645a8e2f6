"""GET /health: whether Marquee is up, for anyone.

GET /health/details: the state of the system, for the service role.
"""

from http import HTTPStatus
from typing import Any, Literal

from aws_lambda_powertools.event_handler import Response
from pydantic import BaseModel

from marquee.core import database, identity
from marquee.core.errors import Refused
from marquee.edge import http
from marquee.edge.observability import LambdaContext, observed
from marquee.operations.health import is_ready, read_details

app = http.resolver()


class Health(BaseModel):
    """`live`: the function runs. `ready`: it reaches its database. The details are for the service role."""

    live: Literal[True]
    ready: bool


@app.get("/health", tags=["health"])
def health() -> Response[Health]:
    """Check whether Marquee is up and reaches its database; 503 unavailable while it does not."""
    with database.single(identity.anonymous()) as session:
        ready = is_ready(session)
    return http.json(HTTPStatus.OK, Health(live=True, ready=ready))


@app.get("/health/details", tags=["health"], responses=http.problems(403), openapi_extensions=http.SERVICE_ONLY)
def details() -> Response[dict[str, Any]]:
    """Get the state of every check, queue and job, and of the ledger; for the service role only."""
    caller = http.caller(app.current_event)
    if caller.role != "service_role":
        raise Refused(
            HTTPStatus.FORBIDDEN, "forbidden", "Only the service role may see the details. GET /health is public."
        )
    with database.single(caller) as session:
        return http.text_json(HTTPStatus.OK, read_details(session))


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Serve a request."""
    return app.resolve(event, context)
