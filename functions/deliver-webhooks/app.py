"""Send webhooks to subscribers: messages of the relay at once, due retries each minute."""

from typing import Any

from marquee.core import settings
from marquee.edge import dispatch, queues, schedules, secrets
from marquee.edge.observability import LambdaContext, MetricUnit, logger, metrics, observed
from marquee.messaging import deliveries
from marquee.messaging.topics import Bundle
from marquee.operations import jobs


def receive(event: dict[str, Any], context: LambdaContext) -> Any:
    """Turn a bundle of messages into deliveries, then send all due ones. An empty bundle only asks for sending."""
    woken = False

    def fan_out(bundle: Bundle, _delivery: queues.Delivery) -> None:
        nonlocal woken
        made = deliveries.fan_out(bundle.messages)
        metrics.add_metric(name="WebhookDeliveryCreated", unit=MetricUnit.Count, value=made)
        woken = woken or made > 0 or not bundle.messages

    answer = queues.receive(event, context, Bundle, fan_out)
    if woken:
        deliver_pending(context)
    return answer


def run(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Run the schedule: send due retries, and deliveries that a stopped worker did not finish."""

    def deliver_webhooks(_turn: schedules.Turn) -> schedules.Outcome:
        return schedules.Outcome(deliver_pending(context).delivered)

    return jobs.record_run(
        "deliver_webhooks", lambda: schedules.run(event, context, {"deliver_webhooks": deliver_webhooks})
    )


def deliver_pending(context: LambdaContext) -> deliveries.Delivered:
    """Send due deliveries. Ask for another run if there are more, or if a retry is due within a minute."""
    private = settings.current().webhooks_allow_private
    done = deliveries.deliver(lambda: schedules.seconds_left(context), secrets.webhook_keys, allow_private=private)
    if done.held:
        logger.error("webhook_secret_unreadable", deliveries=done.held)
    metrics.add_metric(name="WebhookSecretUnreadable", unit=MetricUnit.Count, value=done.held)
    metrics.add_metric(name="WebhookDelivered", unit=MetricUnit.Count, value=done.delivered)
    metrics.add_metric(name="WebhookFailed", unit=MetricUnit.Count, value=done.failed)
    metrics.add_metric(name="WebhookGivenUp", unit=MetricUnit.Count, value=done.given_up)
    metrics.add_metric(name="WebhookEndpointDisabled", unit=MetricUnit.Count, value=done.disabled)
    soon_seconds = 0 if done.more else done.soon_seconds
    if soon_seconds is not None:
        request_run(soon_seconds)
    return done


def request_run(after_seconds: int) -> None:
    """Ask for a run after so many seconds, to send the deliveries that are due then."""
    queues.send(settings.current().require("deliver_queue_url"), Bundle(messages=[]), delay_seconds=after_seconds)


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Run by the queue or by the schedule."""
    return dispatch.by_trigger(event, context, queue=receive, schedule=run)
