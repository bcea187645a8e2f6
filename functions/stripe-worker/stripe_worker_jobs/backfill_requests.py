"""Hours of Stripe's lists to read, each by a message: events, and balance transactions."""

from marquee.core import clock
from marquee.edge import schedules
from marquee.payments import backfill, stripe_balance
from marquee.payments.messages import ListAccountEvents, ListBalance, ListEvents
from stripe_worker_jobs import messages


def catch_up(_turn: schedules.Turn) -> schedules.Outcome:
    """Ask for the Stripe events that the inbox lacks, and drop events that were handled long ago."""
    hours = backfill.hours(clock.now())
    accounts = backfill.accounts()
    messages.send_events([ListEvents(begins_at=hour.begins_at, ends_at=hour.ends_at) for hour in hours])
    messages.send_events(
        [
            ListAccountEvents(account=account, begins_at=hours[0].begins_at, ends_at=hours[-1].ends_at)
            for account in accounts
        ]
    )
    return schedules.Outcome(len(hours) + len(accounts), details={"forgotten": backfill.forget()})


def list_balance(_turn: schedules.Turn) -> schedules.Outcome:
    """Ask for the transactions of Stripe's balance."""
    hours = backfill.hours(clock.now(), stripe_balance.LISTING)
    messages.send_events(
        [ListBalance(balance_begins_at=hour.begins_at, balance_ends_at=hour.ends_at) for hour in hours]
    )
    return schedules.Outcome(len(hours))
