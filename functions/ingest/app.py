"""POST /ratings/events: accept votes, sliders and fires, directly or by a queue that this function also reads."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Header, Path

from marquee.core import clock, database, settings
from marquee.core.errors import Unavailable
from marquee.core.identity import Caller
from marquee.core.models import Id
from marquee.edge import dispatch, http, queues
from marquee.edge.observability import LambdaContext, MetricUnit, count, metrics, observed
from marquee.edge.worker_trigger import WorkerTrigger
from marquee.rating import ingestion
from marquee.rating.events import EventsRequest
from marquee.rating.ingestion import EventsTaken, PartsTaken
from marquee.rating.messages import ProcessBatch

app = http.resolver()
_worker = WorkerTrigger("process_batch_queue_url")


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
    200: {"description": "Recorded.", "content": {"application/json": {"model": EventsTaken}}},
    202: {
        "description": "Accepted, to be recorded later.",
        "content": {"application/json": {"model": ingestion.EventsQueued}},
    },
}


@app.post("/ratings/events", tags=["ratings"], responses={**ANSWERS, **http.problems(404)})
def post_events(
    request: Annotated[EventsRequest, Body()], prefer: Prefer = None
) -> Response[EventsTaken | ingestion.EventsQueued]:
    """Record up to 500 rating events, each judged separately.

    With `Prefer: respond-async` they are recorded a little later.
    """
    caller, limit = http.caller(app.current_event), http.limited(app.current_event, "rate")
    if _is_wanted(prefer):
        database.take_tokens(caller, limit)
        queued: Response[EventsTaken | ingestion.EventsQueued] = _enqueue(request, caller)
        return queued
    with database.single(caller, limit=limit) as session:
        taken = ingestion.take(session, request)
    _count_and_trigger(taken)
    return http.text_json(HTTPStatus.OK, ingestion.require_accepted(taken).model_dump_json())


@app.get("/ratings/requests/<request_id>", tags=["ratings"])
def get_rating_request(request_id: Annotated[Id, Path()]) -> Response[ingestion.RequestState]:
    """Get the state of a request that is recorded later; for its sender."""
    with database.single(http.caller(app.current_event)) as session:
        found = ingestion.state(session, request_id, now_seconds=clock.now().timestamp())
    return http.json(HTTPStatus.OK, found)


def receive(event: dict[str, Any], _context: LambdaContext) -> Any:
    """Record the events of a batch of messages in one transaction."""

    def write(parts: Sequence[ingestion.Part]) -> Mapping[int, str]:
        taken = ingestion.take_parts(parts)
        _count_and_trigger(taken)
        return taken.failed

    return queues.receive_together(event, ingestion.Part, write)


def _is_wanted(prefer: str | None) -> bool:
    """Return whether a Prefer header (RFC 7240) asks for a response before the work is done."""
    return any(part.partition(";")[0].strip().lower() == "respond-async" for part in (prefer or "").split(","))


def _enqueue(request: EventsRequest, caller: Caller) -> Response[EventsTaken | ingestion.EventsQueued]:
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


def _count_and_trigger(taken: EventsTaken | PartsTaken) -> None:
    """Count the results, and trigger the worker if events were accepted. Zeros are not counted."""
    for name, value in (("Accepted", taken.accepted), ("Repeated", taken.duplicates), ("Refused", taken.refused)):
        if value:
            metrics.add_metric(name=f"RatingEvent{name}", unit=MetricUnit.Count, value=value)
    if taken.accepted:
        _worker.fire(ProcessBatch(reason="events"))


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Serve a request, or record the messages of RatingEventsQueue."""
    return dispatch.by_trigger(event, context, http=app.resolve, queue=receive)
