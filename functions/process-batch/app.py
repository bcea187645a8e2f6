"""Counts the events of rated items and publishes their scores: by schedule, by message, on demand."""

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

import batching
from marquee.core import database
from marquee.edge import dispatch, http
from marquee.edge.observability import LambdaContext, observed
from marquee.rating import processing
from marquee.rating.processing import Report

app = http.resolver()

Organization = Annotated[
    UUID | None, Query(description="An organization where the caller is staff. The service role may omit it.")
]


@app.post("/ratings/process", tags=["ratings"], responses=http.problems(403))
def process_ratings(organization_id: Organization = None) -> Response[Report]:
    """Process one batch of the oldest pending items of all organizations and return a report; for staff."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "process_ratings")) as session:
        processing.require_staff(session, organization_id)
    return http.json(HTTPStatus.OK, batching.process_one())


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Serve a request, or process batches for a message or the schedule."""
    return dispatch.by_trigger(event, context, http=app.resolve, queue=batching.receive, schedule=batching.run)
