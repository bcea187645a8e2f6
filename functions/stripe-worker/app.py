"""Process Stripe events of the inbox, send refunds, and run the scheduled jobs for payments."""

from typing import Any

from pydantic import RootModel

from marquee.edge import dispatch, queues
from marquee.edge.observability import LambdaContext, observed
from marquee.payments.messages import HandleEvent, ListAccountEvents, ListBalance, ListEvents, SendRefunds
from stripe_worker_jobs import backfill, stripe_events, sweep


class Work(RootModel[HandleEvent | ListAccountEvents | ListBalance | ListEvents | SendRefunds]):
    """Any message of StripeEventsQueue or RefundsQueue."""


def receive(event: dict[str, Any], context: LambdaContext) -> Any:
    """Process a batch of either queue."""

    def work(message: Work, _delivery: queues.Delivery) -> None:
        match message.root:
            case HandleEvent() as one:
                stripe_events.handle(one)
            case ListEvents() | ListAccountEvents() as hour:
                backfill.list_events(hour)
            case ListBalance() as hour:
                backfill.list_balance(hour)
            case SendRefunds():
                sweep.send_refunds(context)

    return queues.receive(event, context, Work, work)


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Run by a message or by a schedule."""
    return dispatch.by_trigger(event, context, queue=receive, schedule=sweep.run)
