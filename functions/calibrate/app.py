"""Each night: compare the ratings of each organization with a fit of all its votes at once, and correct them."""

from typing import Any
from uuid import UUID

from marquee.core import database, settings
from marquee.edge import dispatch, queues, schedules
from marquee.edge.observability import LambdaContext, MetricUnit, count, logger, metrics, observed
from marquee.operations import jobs
from marquee.rating import calibration
from marquee.rating.messages import ProcessBatch


class CalibrateOrganization(queues.Message):
    """Compare an organization's ratings with all its votes."""

    organization_id: UUID


def calibrate(message: CalibrateOrganization, _delivery: queues.Delivery) -> None:
    """Calibrate one organization. A repeated message finds little to correct."""
    done = calibration.calibrate(message.organization_id)
    if done.superseded:
        count("CalibrationSuperseded")
    else:
        count("RatingCalibrated")
    metrics.add_metric(name="RatingReconciled", unit=MetricUnit.Count, value=done.applied)
    if done.marked:
        queues.send(settings.current().require("process_batch_queue_url"), ProcessBatch(reason="items"))
    logger.info("ratings_calibrated", organization_id=str(message.organization_id), **done.report())


def receive(event: dict[str, Any], context: LambdaContext) -> Any:
    """Process the batches of CalibrateQueue."""
    return queues.receive(event, context, CalibrateOrganization, calibrate)


def run(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Run the schedule: each turn sends the next organizations to CalibrateQueue."""
    last: list[UUID] = []

    def send(_turn: schedules.Turn) -> schedules.Outcome:
        with database.single(database.service()) as session:
            due = calibration.due(session, last[-1] if last else None)
        messages = [CalibrateOrganization(organization_id=organization_id) for organization_id in due]
        queues.send_batch(settings.current().require("calibrate_queue_url"), messages)
        metrics.add_metric(name="CalibrationRequested", unit=MetricUnit.Count, value=len(due))
        last.extend(due[-1:])
        return schedules.Outcome(len(due), more=len(due) == calibration.ORGANIZATIONS_PER_TURN)

    return jobs.record_run("calibrate_ratings", lambda: schedules.run(event, context, {"calibrate_ratings": send}))


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Run by the schedule, or by a message for each organization."""
    return dispatch.by_trigger(event, context, queue=receive, schedule=run)
