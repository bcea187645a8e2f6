"""Send due refunds, and run the scheduled jobs: due intents, unprocessed Stripe events, Stripe's lists."""

from typing import Any

from marquee.core import clock
from marquee.edge import schedules, stripe
from marquee.edge.observability import LambdaContext, MetricUnit, count, logger, metrics
from marquee.operations import jobs
from marquee.payments import backfill, inbox, intents, refund_queue, stripe_balance
from marquee.payments.messages import HandleEvent
from marquee.payments.stripe_calls import StripeUnavailable
from marquee.payments.stripe_sync import DueIntent
from stripe_worker_jobs import backfill_requests, messages


def send_refunds(context: LambdaContext) -> int:
    """Send the refunds that are due, and ask for another run if the time was too short.

    Returns how many Stripe accepted.
    """
    sent = refund_queue.send(lambda: stripe.client(patient=True), lambda: schedules.seconds_left(context))
    for name, value in (("Sent", sent.taken), ("Refused", sent.refused), ("Postponed", sent.postponed)):
        metrics.add_metric(name=f"Refund{name}", unit=MetricUnit.Count, value=value)
    if sent.postponed:
        count("StripeUnavailable")
    if sent.more:
        messages.send_refunds()
    return sent.taken


def run(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Run the schedule's job and record its run."""

    def settle(_turn: schedules.Turn) -> schedules.Outcome:
        left_behind = inbox.due()
        messages.send_events([HandleEvent(event_id=event_id) for event_id in left_behind])
        metrics.add_metric(name="WebhookSweptUp", unit=MetricUnit.Count, value=len(left_behind))
        try:
            swept = intents.sweep(lambda: stripe.client(patient=True), clock.now, _record_refusal)
        except StripeUnavailable as error:
            logger.warning("stripe_unavailable", error=str(error))
            count("StripeUnavailable")
            return schedules.Outcome(len(left_behind))
        metrics.add_metric(name="IntentSwept", unit=MetricUnit.Count, value=swept.done)
        more = swept.more or len(left_behind) == inbox.DUE_MOST
        return schedules.Outcome(len(left_behind) + swept.done + send_refunds(context), more=more)

    work = {
        "settle_payments": settle,
        backfill.JOB: backfill_requests.catch_up,
        stripe_balance.LISTING: backfill_requests.list_balance,
    }
    return jobs.record_run(str(event.get("job")), lambda: schedules.run(event, context, work))


def _record_refusal(intent: DueIntent, refusal: Exception) -> None:
    logger.error("intent_refused", intent_id=str(intent.intent_id), action=intent.action, error=str(refusal))
    count("IntentRefused")
