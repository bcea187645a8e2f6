"""Events that Stripe has and we have not: listed, and put into the inbox as if they had been sent.

Stripe sends again what was not answered 200 for up to three days, and lists its events for thirty. Each day's run looks
from an hour before the last one that succeeded, hour by hour, each hour by a message of its own.
"""

import json
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


def missed(client: "StripeClient", hour: Hour) -> Iterator[list[str]]:
    """Store those of an hour's events at Stripe that are not here, a hundred at a time; the ids of the new ones.

    Raises StripeUnavailable, StripeRefused.
    """
    events = _listed(client, hour)
    while chunk := list(islice(events, PAGE_MOST)):
        rows = [inbox.Event.model_validate(event).row(json.dumps(event)) for event in chunk]
        with database.single(database.service()) as session:
            receipts = inbox.receive_all(session, rows, caught_up=True)
        yield [receipt.event_id for receipt in receipts if not receipt.duplicate]


def forget(most: int = FORGET_MOST) -> int:
    """Drop events that were dealt with more than ninety days ago; how many."""
    with database.single(database.service()) as session:
        dropped: int = session.value("select payments.forget_webhooks(most => %s)", [most])
    return dropped


def _listed(client: "StripeClient", hour: Hour) -> Iterator[dict[str, Any]]:
    """The events of our types in that hour, newest first as Stripe lists them."""
    created: EventListParamsCreated = {"gte": int(hour.begins_at.timestamp()), "lt": int(hour.ends_at.timestamp())}
    with stripe_client.calling():
        listed = client.v1.events.list({"created": created, "types": sorted(HANDLERS), "limit": PAGE_MOST})
        for event in listed.auto_paging_iter():
            yield stripe_client.plain(event)
