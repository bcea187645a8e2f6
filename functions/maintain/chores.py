"""The jobs of maintain that need nothing of the run: each a bounded piece of work."""

from collections.abc import Iterator

from marquee.edge import schedules, secrets
from marquee.edge.observability import MetricUnit, logger, metrics
from marquee.messaging import reminders, signing_secrets
from marquee.operations import maintenance


def complete_events(_turn: schedules.Turn) -> schedules.Outcome:
    """Events that are over become completed."""
    completed, more = maintenance.complete_events()
    return schedules.Outcome(completed, more=more)


def send_reminders(_turn: schedules.Turn) -> schedules.Outcome:
    """Customers are reminded of what begins soon."""
    reminded, more = reminders.send()
    metrics.add_metric(name="RemindersMade", unit=MetricUnit.Count, value=reminded)
    return schedules.Outcome(reminded, more=more)


def expire_credits(_turn: schedules.Turn) -> schedules.Outcome:
    """Credits that nobody used in time lapse."""
    lapsed, more = maintenance.expire_credits()
    metrics.add_metric(name="CreditLapsed", unit=MetricUnit.Count, value=lapsed)
    return schedules.Outcome(lapsed, more=more)


def partitions(_turn: schedules.Turn) -> schedules.Outcome:
    """Months ahead are made, months past retention are dropped, months of ratings' events that are counted archived."""
    done = maintenance.maintain_partitions()
    if done["in_default"]:
        logger.warning("default_partition_filled", rows=done["in_default"])
    archived = maintenance.archive_rating_events()
    number = done["created"] + done["moved"] + len(done["dropped"]) + len(archived)
    return schedules.Outcome(number, details={**done, "archived": archived})


def health(_turn: schedules.Turn) -> schedules.Outcome:
    """Checks are run, alerts are raised and cleared."""
    found = maintenance.check_health()
    metrics.add_metric(name="AlertFired", unit=MetricUnit.Count, value=len(found.fired))
    logger.info("health", status=found.status, fired=found.fired, resolved=found.resolved)
    return schedules.Outcome(len(found.checks), details={"status": found.status, "checks": found.checks})


def seal_webhook_secrets() -> Iterator[int]:
    """Seal the secrets of webhooks with the current key, step by step."""
    for done in signing_secrets.reseal(secrets.webhook_keys):
        if done.unreadable:
            logger.error("webhook_secret_unreadable", secrets=done.unreadable)
        metrics.add_metric(name="WebhookSecretSealed", unit=MetricUnit.Count, value=done.sealed)
        metrics.add_metric(name="WebhookSecretUnreadable", unit=MetricUnit.Count, value=done.unreadable)
        yield done.sealed
