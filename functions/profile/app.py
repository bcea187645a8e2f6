"""GET, PATCH /profile: a person's name, and the language of their messages."""

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
    """Get the caller's profile; the first call creates it from the token."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "profile")) as session:
        return http.json(HTTPStatus.OK, profiles.own(session))


@app.patch("/profile", tags=["profile"])
def edit_profile(request: Annotated[profiles.ProfileEdit, Body()]) -> Response[profiles.Profile]:
    """Change the caller's name or the language of future messages."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "profile")) as session:
        return http.json(HTTPStatus.OK, profiles.edit(session, request))


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Serve a request."""
    return app.resolve(event, context)
