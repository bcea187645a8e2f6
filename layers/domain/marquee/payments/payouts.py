"""Money that leaves Stripe's balance, always fetched again: transfers to organizers, payouts to banks."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from marquee.core import database
from marquee.payments import balance_transactions, stripe_calls

if TYPE_CHECKING:
    from stripe import StripeClient

REVERSALS_MOST = 100


def transfer(client: "StripeClient", transfer_id: str) -> dict[str, Any]:
    """Bring a transfer into the ledger. Returns the changes.

    Raises StripeUnavailable, StripeRefused. Refuses: 404 account_not_found, if its account is not an organizer's.
    """
    with stripe_calls.calling():
        made = stripe_calls.plain(client.v1.transfers.retrieve(transfer_id))
        listed = client.v1.transfers.reversals.list(transfer_id, {"limit": REVERSALS_MOST})
        reversals = [stripe_calls.plain(each) for each in listed.auto_paging_iter()]
    facts = {
        "stripe_id": made["id"],
        "account_id": _id(made["destination"]),
        "amount_cents": made["amount"],
        "currency": made["currency"],
        "reversals": [{"stripe_id": each["id"], "amount_cents": each["amount"]} for each in reversals],
    }
    return _applied("select payments.apply_transfer(facts => %s::jsonb)", facts)


def payout(
    client: "StripeClient", payout_id: str, account_id: str | None, now: Callable[[], datetime]
) -> dict[str, Any]:
    """Bring a payout of the platform or of an organizer's account into the ledger. Returns the changes.

    Raises StripeUnavailable, StripeRefused. Refuses: 404 account_not_found, if no organizer has the account.
    """
    observed_at = now()
    with stripe_calls.calling():
        made = stripe_calls.plain(
            client.v1.payouts.retrieve(
                payout_id,
                {"expand": ["balance_transaction", "failure_balance_transaction"]},
                {"stripe_account": account_id} if account_id else {},
            )
        )
    moved = [made.get(name) for name in ("balance_transaction", "failure_balance_transaction")]
    facts = {
        "stripe_id": made["id"],
        "account_id": account_id,
        "amount_cents": made["amount"],
        "currency": made["currency"],
        "status": made["status"],
        "arrives_on": datetime.fromtimestamp(made["arrival_date"], UTC).date().isoformat(),
        "failure_code": made.get("failure_code"),
        "failure_message": made.get("failure_message"),
        "observed_at": observed_at.isoformat(),
        "balance_transactions": [balance_transactions.row_of(each) for each in moved if isinstance(each, dict)],
    }
    return _applied("select payments.apply_payout(facts => %s::jsonb)", facts)


def _applied(statement: str, facts: dict[str, Any]) -> dict[str, Any]:
    with database.single(database.service()) as session:
        done: dict[str, Any] = session.value(statement, [json.dumps(facts)])
    return done


def _id(thing: str | dict[str, Any]) -> str:
    """Return the id of a thing that may be expanded."""
    return str(thing["id"] if isinstance(thing, dict) else thing)
