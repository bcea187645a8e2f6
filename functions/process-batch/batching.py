"""Processes batches until one is not full. When time runs out, a message continues the work."""

from typing import Any

import tallying
from marquee.core import settings
from marquee.edge import queues, schedules
from marquee.edge.observability import LambdaContext
from marquee.rating import processing
from marquee.rating.messages import ProcessBatch
from marquee.rating.processing import Report

BATCHES_MOST = 20
RESERVE_SECONDS = 12.0


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


def process_one() -> Report:
    """Process one batch now, and continue by message if there are more."""
    report = _process(is_first=True, record_nothing=True)
    if report.full:
        _go_on()
    return report


def _process(*, is_first: bool, record_nothing: bool = False) -> Report:
    if is_first:
        processing.begin_periods()
    return tallying.told(processing.process_batch(settings.current().rating_batch_items, record_nothing=record_nothing))


def _go_on() -> None:
    queues.send(settings.current().require("process_batch_queue_url"), ProcessBatch(reason="more"))
