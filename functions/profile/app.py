"""GET, PATCH /profile: what a person is called, and the language in which they are written to."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from marquee.core import database
from marquee.edge import http
from marquee.edge.observability import LambdaContext, observed
from marquee.messaging import profiles

app = http.resolver()


@app.get("/profile", tags=["profile"])
def get_profile() -> Response[profiles.Profile]:
    """One's own profile, made from the token at the first call."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "profile")) as session:
        return http.json(HTTPStatus.OK, profiles.own(session))


@app.patch("/profile", tags=["profile"])
def edit_profile(request: Annotated[profiles.ProfileEdit, Body()]) -> Response[profiles.Profile]:
    """Change one's own name, or the language of messages from now on."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "profile")) as session:
        return http.json(HTTPStatus.OK, profiles.edit(session, request))


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer a request."""
    return app.resolve(event, context)
