"""Scheduled upkeep: completes events, keeps partitions, cleans up, checks health and raises alerts."""

from typing import Any

from marquee.edge import schedules, triggers
from marquee.edge.observability import LambdaContext, MetricUnit, count, logger, metrics, observed
from marquee.operations import jobs, maintenance


def complete_events(_turn: schedules.Turn) -> schedules.Outcome:
    """Events that are over become completed."""
    completed, more = maintenance.complete_events()
    return schedules.Outcome(completed, more=more)


def partitions(_turn: schedules.Turn) -> schedules.Outcome:
    """Months ahead are made, months past retention are dropped."""
    done = maintenance.maintain_partitions()
    if done["in_default"]:
        logger.warning("default_partition_filled", rows=done["in_default"])
    return schedules.Outcome(done["created"] + done["moved"] + len(done["dropped"]), details=done)


def health(_turn: schedules.Turn) -> schedules.Outcome:
    """Checks are run, alerts are raised and cleared."""
    found = maintenance.check_health()
    metrics.add_metric(name="AlertFired", unit=MetricUnit.Count, value=len(found.fired))
    logger.info("health", status=found.status, fired=found.fired, resolved=found.resolved)
    return schedules.Outcome(len(found.checks), details={"status": found.status, "checks": found.checks})


def run(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Run the schedule's job and write its run down."""
    count("MaintainRun")
    steps = maintenance.clean_up()

    def clean_up(_turn: schedules.Turn) -> schedules.Outcome:
        """What has outlived its purpose is deleted, counters are compared with their rows."""
        done = next(steps, None)
        return schedules.Outcome(done or 0, more=done is not None)

    work = {"complete_events": complete_events, "partitions": partitions, "clean_up": clean_up, "health": health}
    return jobs.recorded(str(event.get("job")), lambda: schedules.run(event, context, work))


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Run by one of its schedules."""
    return triggers.dispatch(event, context, schedule=run)
