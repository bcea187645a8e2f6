"""Read Stripe's lists for a period: missed events, and balance transactions."""

from marquee.edge import stripe
from marquee.edge.observability import count, logger
from marquee.payments import backfill, stripe_balance
from marquee.payments.messages import HandleEvent, ListAccountEvents, ListBalance, ListEvents
from marquee.payments.stripe_calls import NotPermitted
from stripe_worker_jobs import messages


def list_events(message: ListEvents | ListAccountEvents) -> None:
    """Store the missed events of an hour or of an account in the inbox, and ask for their handling."""
    hour = backfill.Hour(message.begins_at, message.ends_at)
    account = message.account if isinstance(message, ListAccountEvents) else None
    try:
        for event_ids in backfill.missed(stripe.client(patient=True), hour, account):
            for _event_id in event_ids:
                count("WebhookCaughtUp")
            messages.send_events([HandleEvent(event_id=event_id) for event_id in event_ids])
    except NotPermitted as error:
        if account is None:
            raise
        logger.warning("account_not_seen", account=account, error=str(error))


def list_balance(message: ListBalance) -> None:
    """Store the balance transactions of an hour."""
    hour = backfill.Hour(message.balance_begins_at, message.balance_ends_at)
    for _new in range(stripe_balance.list_hour(stripe.client(patient=True), hour)):
        count("BalanceTransactionListed")
