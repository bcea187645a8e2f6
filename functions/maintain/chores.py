"""Jobs of scheduled maintenance that need nothing from the run. Each is a bounded piece of work."""

from collections.abc import Iterator

from marquee.edge import schedules, secrets
from marquee.edge.observability import MetricUnit, logger, metrics
from marquee.messaging import reminders, signing_secrets
from marquee.operations import maintenance


def complete_events(_turn: schedules.Turn) -> schedules.Outcome:
    """Mark events that have ended as completed."""
    completed, more = maintenance.complete_events()
    return schedules.Outcome(completed, more=more)


def send_reminders(_turn: schedules.Turn) -> schedules.Outcome:
    """Remind customers of events that start soon."""
    reminded, more = reminders.send()
    metrics.add_metric(name="RemindersMade", unit=MetricUnit.Count, value=reminded)
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
