"""Missed Stripe events: listed at Stripe, and stored in the inbox as if they had been sent.

Stripe resends an event without a 200 response for up to three days, and lists its events for thirty days. Each daily
run starts an hour before the last successful run and continues hour by hour, each hour by a separate message.
Organizers' accounts have short lists of their own: each account is one message.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from marquee.core import database
from marquee.payments import inbox, stripe_calls
from marquee.payments.stripe_events import HANDLERS

if TYPE_CHECKING:
    from stripe import StripeClient
    from stripe.params import EventListParamsCreated

JOB = "catch_up_stripe"
OVERLAP = timedelta(hours=1)
LISTED = timedelta(days=30)
HOUR = timedelta(hours=1)
PAGE_MOST = 100
# The events that the endpoint of connected accounts subscribes to.
OF_ACCOUNTS = ("account.updated", "payout.failed", "payout.paid")
FORGET_MOST = 5000


@dataclass(frozen=True, slots=True)
class Hour:
    """A period to list: from its start to just before its end."""

    begins_at: datetime
    ends_at: datetime


def hours(now: datetime, job: str = JOB) -> list[Hour]:
    """Return the hours to list, oldest first.

    They start an hour before the job's last success, but not before Stripe's oldest listed events.
    """
    with database.single(database.service()) as session:
        last: datetime | None = session.value("select payments.last_backfill_at(job => %s)", [job])
    oldest = now - LISTED
    begins_at = oldest if last is None else max(last - OVERLAP, oldest)
    begins_at = begins_at.replace(minute=0, second=0, microsecond=0)
    whole = int((now - begins_at) / HOUR) + 1
    return [Hour(begins_at + number * HOUR, begins_at + (number + 1) * HOUR) for number in range(whole)]


def accounts() -> list[str]:
    """Return Stripe's ids of the organizers' accounts."""
    with database.single(database.service()) as session:
        rows = session.all("select p.stripe_account_id from organizations.payout_accounts as p order by 1")
    return [row["stripe_account_id"] for row in rows]


def missed(client: "StripeClient", hour: Hour, account: str | None = None) -> Iterator[list[str]]:
    """Store the missing Stripe events of a period, a hundred at a time. Yields the ids of the new ones.

    The events are those of the platform, or of an organizer's account. Raises StripeUnavailable, StripeRefused.
    """
    events = _listed(client, hour, account)
    while chunk := list(islice(events, PAGE_MOST)):
        rows = [inbox.Event.model_validate(event).model_copy(update={"account": account}).row() for event in chunk]
        with database.single(database.service()) as session:
            receipts = inbox.receive_all(session, rows, caught_up=True)
        yield [receipt.event_id for receipt in receipts if not receipt.duplicate]


def forget(most: int = FORGET_MOST) -> int:
    """Drop events that were handled more than ninety days ago. Returns their number."""
    with database.single(database.service()) as session:
        dropped: int = session.value("select payments.forget_webhooks(most => %s)", [most])
    return dropped


def _listed(client: "StripeClient", hour: Hour, account: str | None) -> Iterator[dict[str, Any]]:
    """List the events of our types in that period, newest first as Stripe lists them."""
    created: EventListParamsCreated = {"gte": int(hour.begins_at.timestamp()), "lt": int(hour.ends_at.timestamp())}
    with stripe_calls.calling():
        listed = client.v1.events.list(
            {"created": created, "types": sorted(OF_ACCOUNTS if account else HANDLERS), "limit": PAGE_MOST},
            {"stripe_account": account} if account else {},
        )
        for event in listed.auto_paging_iter():
            yield stripe_calls.plain(event)
