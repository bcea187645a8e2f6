"""Organizers' accounts at Stripe: whether they may accept payments and receive payouts."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from marquee.core import database
from marquee.payments import stripe_calls

if TYPE_CHECKING:
    from stripe import StripeClient


def refresh(client: "StripeClient", account_id: str, now: Callable[[], datetime]) -> bool:
    """Fetch an account and store its state at Stripe. Returns whether one of our organizations has it.

    Raises StripeUnavailable, StripeRefused.
    """
    observed_at = now()
    with stripe_calls.calling():
        account = stripe_calls.plain(client.v1.accounts.retrieve(account_id))
    facts = {
        "stripe_account_id": account_id,
        "charges_enabled": bool(account.get("charges_enabled")),
        "payouts_enabled": bool(account.get("payouts_enabled")),
        "details_submitted": bool(account.get("details_submitted")),
        "requirements": account.get("requirements") or {},
        "observed_at": observed_at.isoformat(),
    }
    with database.single(database.service()) as session:
        known: bool = session.value("select payments.record_payout_account(facts => %s::jsonb)", [json.dumps(facts)])
    return known
