"""Events that Stripe has and we have not: listed, and put into the inbox as if they had been sent.

Stripe sends again what was not answered 200 for up to three days, and lists its events for thirty. Each day's run looks
from an hour before the last one that succeeded, hour by hour, each hour by a message of its own. Organizers' accounts
have lists of their own, with little in them: each account is one message.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from marquee.core import database
from marquee.payments import inbox, stripe_client
from marquee.payments.handling import HANDLERS

if TYPE_CHECKING:
    from stripe import StripeClient
    from stripe.params import EventListParamsCreated

JOB = "catch_up_stripe"
OVERLAP = timedelta(hours=1)
LISTED = timedelta(days=30)
HOUR = timedelta(hours=1)
PAGE_MOST = 100
# What a connected account's own endpoint is asked to send.
OF_ACCOUNTS = ("account.updated", "payout.failed", "payout.paid")
FORGET_MOST = 5000


@dataclass(frozen=True, slots=True)
class Hour:
    """A stretch of time to look at: from its beginning to just before its end."""

    begins_at: datetime
    ends_at: datetime


def hours(now: datetime, job: str = JOB) -> list[Hour]:
    """The hours to look at, oldest first: since an hour before the job's last success, as far as Stripe lists."""
    with database.single(database.service()) as session:
        last: datetime | None = session.value("select payments.last_catch_up(job => %s)", [job])
    oldest = now - LISTED
    begins_at = oldest if last is None else max(last - OVERLAP, oldest)
    begins_at = begins_at.replace(minute=0, second=0, microsecond=0)
    whole = int((now - begins_at) / HOUR) + 1
    return [Hour(begins_at + number * HOUR, begins_at + (number + 1) * HOUR) for number in range(whole)]


def accounts() -> list[str]:
    """Stripe's ids of the organizers' accounts."""
    with database.single(database.service()) as session:
        rows = session.all("select p.stripe_account_id from organizations.payout_accounts as p order by 1")
    return [row["stripe_account_id"] for row in rows]


def missed(client: "StripeClient", hour: Hour, account: str | None = None) -> Iterator[list[str]]:
    """Store those of a time's events at Stripe that are not here, a hundred at a time; the ids of the new ones.

    Those of the platform, or of an organizer's account. Raises StripeUnavailable, StripeRefused.
    """
    events = _listed(client, hour, account)
    while chunk := list(islice(events, PAGE_MOST)):
        rows = [inbox.Event.model_validate(event).model_copy(update={"account": account}).row() for event in chunk]
        with database.single(database.service()) as session:
            receipts = inbox.receive_all(session, rows, caught_up=True)
        yield [receipt.event_id for receipt in receipts if not receipt.duplicate]


def forget(most: int = FORGET_MOST) -> int:
    """Drop events that were dealt with more than ninety days ago; how many."""
    with database.single(database.service()) as session:
        dropped: int = session.value("select payments.forget_webhooks(most => %s)", [most])
    return dropped


def _listed(client: "StripeClient", hour: Hour, account: str | None) -> Iterator[dict[str, Any]]:
    """The events of our types in that time, newest first as Stripe lists them."""
    created: EventListParamsCreated = {"gte": int(hour.begins_at.timestamp()), "lt": int(hour.ends_at.timestamp())}
    with stripe_client.calling():
        listed = client.v1.events.list(
            {"created": created, "types": sorted(OF_ACCOUNTS if account else HANDLERS), "limit": PAGE_MOST},
            {"stripe_account": account} if account else {},
        )
        for event in listed.auto_paging_iter():
            yield stripe_client.plain(event)
