"""Notifies people of outbox messages: a notification each, and one e-mail if they have an address."""

from email.message import EmailMessage
from typing import Any

from marquee.edge import mail, queues
from marquee.edge.observability import LambdaContext, MetricUnit, logger, metrics, observed
from marquee.messaging import notifications
from marquee.messaging.topics import Bundle


def send(address: str, message: EmailMessage) -> str:
    """Send an e-mail by SES."""
    try:
        return mail.send(address, message)
    except mail.Refused as refusal:
        raise notifications.Undeliverable(str(refusal)) from refusal
    except mail.NotTaken as refusal:
        raise notifications.NotSent(str(refusal)) from refusal


def notify(bundle: Bundle, _delivery: queues.Delivery) -> None:
    """Notify everyone concerned by a bundle. A failure spares the others, but the whole bundle is retried."""
    notified = notifications.notify_all(bundle.messages, send, logger.set_correlation_id)
    for name, value in (
        ("NotificationCreated", notified.people),
        ("EmailSent", notified.sent),
        ("EmailRefused", notified.refused),
    ):
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Receive bundles of outbox messages from the relay."""
    return queues.receive(event, context, Bundle, notify)
