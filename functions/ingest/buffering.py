"""Rating events to be recorded later: into RatingEventsQueue."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Header

from marquee.core import clock, settings
from marquee.core.errors import Unavailable
from marquee.core.identity import Caller
from marquee.edge import http, queues
from marquee.edge.observability import count
from marquee.rating import ingestion
from marquee.rating.events import EventsRequest

Prefer = Annotated[
    str | None,
    Header(
        alias="Prefer",
        max_length=200,
        description="respond-async: record the events later.",
        examples=["respond-async"],
    ),
]
ANSWERS: dict[int, Any] = {
    200: {"description": "Recorded.", "content": {"application/json": {"model": ingestion.EventsTaken}}},
    202: {
        "description": "Accepted, to be recorded later.",
        "content": {"application/json": {"model": ingestion.EventsQueued}},
    },
}


def is_wanted(prefer: str | None) -> bool:
    """Return whether a Prefer header (RFC 7240) asks for a response before the work is done."""
    return any(part.partition(";")[0].strip().lower() == "respond-async" for part in (prefer or "").split(","))


def put_off(request: EventsRequest, caller: Caller) -> Response[ingestion.EventsTaken | ingestion.EventsQueued]:
    """Send a request to the queue. Raises Unavailable if the queue does not accept all of it.

    Sending it again is safe: events that the queue accepted are not counted twice.
    """
    # Imported here because it loads boto3, which only sending needs.
    from botocore.exceptions import BotoCoreError, ClientError

    request_id = ingestion.new_request_id(clock.now().timestamp())
    parts = ingestion.parts(request, request_id, caller)
    try:
        queues.send_batch(settings.current().require("rating_events_queue_url"), parts)
    except (queues.NotSent, BotoCoreError, ClientError) as error:
        raise Unavailable("The queue did not accept all events. Send the request again with the same keys.") from error
    count("RatingRequestQueued")
    place = f"/ratings/requests/{request_id}"
    headers = {"Location": place, "Preference-Applied": "respond-async"}
    queued = ingestion.EventsQueued(request_id=request_id, status_url=place)
    return http.text_json(HTTPStatus.ACCEPTED, queued.model_dump_json(), headers)
