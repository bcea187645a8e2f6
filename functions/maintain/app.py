"""Scheduled maintenance: completes events, marks no-shows, reminds, creates partitions, cleans up, checks health."""

import itertools
from collections.abc import Iterator
from typing import Any

from marquee.core import clock
from marquee.edge import dispatch, schedules, secrets, storage
from marquee.edge.observability import LambdaContext, MetricUnit, count, logger, metrics, observed
from marquee.messaging import reminders, signing_secrets
from marquee.operations import jobs, maintenance, zone_rules
from marquee.people import exports


def complete_events(_turn: schedules.Turn) -> schedules.Outcome:
    """Mark events that have ended as completed."""
    completed, more = maintenance.complete_events()
    return schedules.Outcome(completed, more=more)


def mark_no_shows(_turn: schedules.Turn) -> schedules.Outcome:
    """Make unmarked bookings no-shows, after the time that their policy sets."""
    marked, more = maintenance.mark_no_shows()
    return schedules.Outcome(marked, more=more)


def refresh_listings(_turn: schedules.Turn) -> schedules.Outcome:
    """Write the listings of events again whose place, instructor or organizer was renamed."""
    refreshed, more = maintenance.refresh_listings()
    return schedules.Outcome(refreshed, more=more)


def send_reminders(_turn: schedules.Turn) -> schedules.Outcome:
    """Remind customers of events that start soon."""
    reminded, more = reminders.send()
    metrics.add_metric(name="ReminderCreated", unit=MetricUnit.Count, value=reminded)
    return schedules.Outcome(reminded, more=more)


def expire_credits(_turn: schedules.Turn) -> schedules.Outcome:
    """Expire credits that were not used in time."""
    lapsed, more = maintenance.expire_credits()
    metrics.add_metric(name="CreditLapsed", unit=MetricUnit.Count, value=lapsed)
    return schedules.Outcome(lapsed, more=more)


def partitions(_turn: schedules.Turn) -> schedules.Outcome:
    """Create partitions for the coming months, drop expired ones, and archive months of counted rating events."""
    done = maintenance.maintain_partitions()
    if done["in_default"]:
        logger.warning("default_partition_filled", rows=done["in_default"])
    archived = maintenance.archive_rating_events()
    number = done["created"] + done["moved"] + len(done["dropped"]) + len(archived)
    return schedules.Outcome(number, details={**done, "archived": archived})


def time_zones(_turn: schedules.Turn) -> schedules.Outcome:
    """Compare the time-zone rules of database and functions, and move events by changed rules."""
    differing = zone_rules.compare(clock.now())
    if differing:
        logger.warning("time_zones_differ", zones=differing)
    moved, more = zone_rules.realign()
    return schedules.Outcome(moved, more=more, details={"differing": differing})


def health(_turn: schedules.Turn) -> schedules.Outcome:
    """Run the health checks, raise alerts and resolve them."""
    found = maintenance.check_health()
    metrics.add_metric(name="AlertFired", unit=MetricUnit.Count, value=len(found.fired))
    logger.info("health", status=found.status, fired=found.fired, resolved=found.resolved)
    return schedules.Outcome(len(found.checks), details={"status": found.status, "checks": found.checks})


def seal_webhook_secrets() -> Iterator[int]:
    """Seal the webhook secrets with the current key, step by step."""
    for done in signing_secrets.reseal(secrets.webhook_keys):
        if done.unreadable:
            logger.error("webhook_secret_unreadable", secrets=done.unreadable)
        metrics.add_metric(name="WebhookSecretSealed", unit=MetricUnit.Count, value=done.sealed)
        metrics.add_metric(name="WebhookSecretUnreadable", unit=MetricUnit.Count, value=done.unreadable)
        yield done.sealed


def make_exports(_turn: schedules.Turn) -> schedules.Outcome:
    """Make the files with people's data that they have requested."""
    is_made = exports.make_next(storage.put_export)
    metrics.add_metric(name="ExportMade", unit=MetricUnit.Count, value=int(is_made))
    return schedules.Outcome(int(is_made), more=is_made)


WORK = {
    "make_exports": make_exports,
    "complete_events": complete_events,
    "mark_no_shows": mark_no_shows,
    "refresh_listings": refresh_listings,
    "send_reminders": send_reminders,
    "expire_credits": expire_credits,
    "partitions": partitions,
    "time_zones": time_zones,
    "health": health,
}


def run(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Run the schedule's job and record its run."""
    count("MaintainRun")
    sealing = seal_webhook_secrets()
    work = {
        **WORK,
        # Expired data is deleted, counters are compared with their rows, secrets are sealed.
        "clean_up": schedules.stepwise(itertools.chain(maintenance.clean_up(), sealing)),
        "seal_webhook_secrets": schedules.stepwise(sealing),
    }
    return jobs.record_run(str(event.get("job")), lambda: schedules.run(event, context, work))


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Run by one of the schedules."""
    return dispatch.by_trigger(event, context, schedule=run)
