"""POST /ratings/events: accepts votes, sliders and fires, directly or by a queue that this function also reads."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body

import buffering
import draining
import for_members
import raters
import rating_settings
import tending
import waking
from marquee.core import database
from marquee.edge import dispatch, http
from marquee.edge.observability import LambdaContext, observed
from marquee.rating import ingestion
from marquee.rating.events import EventsRequest

app = http.resolver(draining.routes, tending.routes, rating_settings.routes, raters.routes, for_members.routes)


@app.post("/ratings/events", tags=["ratings"], responses={**buffering.ANSWERS, **http.problems(404)})
def post_events(
    request: Annotated[EventsRequest, Body()], prefer: buffering.Prefer = None
) -> Response[ingestion.EventsTaken | ingestion.EventsQueued]:
    """Record up to 500 rating events, each judged separately.

    With `Prefer: respond-async` they are recorded a little later.
    """
    caller, limit = http.caller(app.current_event), http.limited(app.current_event, "rate")
    if buffering.is_wanted(prefer):
        database.take_tokens(caller, limit)
        queued: Response[ingestion.EventsTaken | ingestion.EventsQueued] = buffering.put_off(request, caller)
        return queued
    with database.single(caller, limit=limit) as session:
        taken = ingestion.take(session, request)
    waking.count_and_wake(taken)
    return http.text_json(HTTPStatus.OK, ingestion.insist(taken).model_dump_json())


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Serve a request, or record the messages of RatingEventsQueue."""
    return dispatch.by_trigger(event, context, http=app.resolve, queue=draining.receive)
