"""Count the events of rated items and publish their scores: by schedule, by message, on demand."""

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from marquee.core import database, settings
from marquee.edge import dispatch, http, queues, schedules
from marquee.edge.observability import LambdaContext, MetricUnit, count, logger, metrics, observed
from marquee.rating import processing
from marquee.rating.messages import ProcessBatch
from marquee.rating.processing import Report

app = http.resolver()

BATCHES_MOST = 20
RESERVE_SECONDS = 12.0


Organization = Annotated[
    UUID | None, Query(description="An organization where the caller is staff. The service role may omit it.")
]


@app.post("/ratings/process", tags=["ratings"], responses=http.problems(403))
def process_ratings(organization_id: Organization = None) -> Response[Report]:
    """Process one batch of the oldest pending items of all organizations and return a report; for staff."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "process_ratings")) as session:
        processing.require_staff(session, organization_id)
    return http.json(HTTPStatus.OK, _process_one())


def run(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Run the schedule, which also finds items without a message, such as publications whose pause has ended."""

    def process_ratings(turn: schedules.Turn) -> schedules.Outcome:
        report = _process(is_first=turn.number == 1, record_nothing=turn.number == 1)
        return schedules.Outcome(report.items, more=report.full, details=report.figures())

    job = {processing.JOB: process_ratings}
    done = schedules.run(event, context, job, turns_max=BATCHES_MOST, reserve_seconds=RESERVE_SECONDS)
    if done["more"]:
        _go_on()
    return done


def receive(event: dict[str, Any], context: LambdaContext) -> Any:
    """Process messages, which report new events, marked items, or more work."""

    def process(_message: ProcessBatch, _delivery: queues.Delivery) -> None:
        for number in range(BATCHES_MOST):
            if not _process(is_first=number == 0).full:
                return
            if schedules.seconds_left(context) < RESERVE_SECONDS:
                break
        _go_on()

    return queues.receive(event, context, ProcessBatch, process)


def _process_one() -> Report:
    """Process one batch now, and continue by message if there are more."""
    report = _process(is_first=True, record_nothing=True)
    if report.full:
        _go_on()
    return report


def _process(*, is_first: bool, record_nothing: bool = False) -> Report:
    if is_first:
        processing.begin_periods()
    return _reported(processing.process_batch(settings.current().rating_batch_items, record_nothing=record_nothing))


def _go_on() -> None:
    queues.send(settings.current().require("process_batch_queue_url"), ProcessBatch(reason="more"))


def _reported(report: Report) -> Report:
    """Report a batch, and return it."""
    count("RatingBatchCounted")
    for name, value in (
        ("RatingItemCounted", report.items - report.failed),
        ("RatingItemSetAside", report.failed),
        ("RatingEventCounted", report.events),
        ("ScorePublished", report.published),
        ("ScoreHeldBack", report.held),
    ):
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
    milliseconds = sum(report.seconds.values()) * 1000
    metrics.add_metric(name="RatingBatchDuration", unit=MetricUnit.Milliseconds, value=milliseconds)
    logger.info("ratings_processed", **report.figures())
    return report


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Serve a request, or process batches for a message or the schedule."""
    return dispatch.by_trigger(event, context, http=app.resolve, queue=receive, schedule=run)
