"""Reconciliation of Stripe's balance with our clearing account: list its transactions, store them, compare.

Each daily run lists the hours since the last successful one, each by a separate message; a later run compares.
"""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from psycopg.types.json import Jsonb

from marquee.core import database
from marquee.payments import balance_transactions, stripe_calls
from marquee.payments.backfill import Hour

if TYPE_CHECKING:
    from stripe import StripeClient
    from stripe.params import BalanceTransactionListParamsCreated

LISTING = "list_stripe_balance"
COMPARING = "reconcile_stripe"
PAGE_MOST = 100


def list_hour(client: "StripeClient", hour: Hour) -> int:
    """Store the transactions of Stripe's balance in that hour. Returns the number of new ones.

    Raises StripeUnavailable.
    """
    stored = 0
    listed = _listed(client, hour)
    while chunk := list(islice(listed, PAGE_MOST)):
        with database.single(database.service()) as session:
            stored += session.value(
                "select payments.store_balance_transactions(transactions => %s)",
                [Jsonb([balance_transactions.row_of(each) for each in chunk])],
            )
    return stored


def compare() -> dict[str, Any]:
    """Compare both balances. Returns {"opened", "resolved", "open"}: the numbers of differences."""
    with database.single(database.service()) as session:
        done: dict[str, Any] = session.value("select payments.reconcile()")
    return done


def _listed(client: "StripeClient", hour: Hour) -> Iterator[dict[str, Any]]:
    created: BalanceTransactionListParamsCreated = {
        "gte": int(hour.begins_at.timestamp()),
        "lt": int(hour.ends_at.timestamp()),
    }
    with stripe_calls.calling():
        listed = client.v1.balance_transactions.list({"created": created, "limit": PAGE_MOST})
        for each in listed.auto_paging_iter():
            yield stripe_calls.plain(each)
