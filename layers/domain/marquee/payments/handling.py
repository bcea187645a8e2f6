"""What each type of Stripe's events means here.

An event only says where to look: the thing is fetched again, so that events may come twice, late, out of order or not
at all. A type that nothing is done about is written down as ignored, with why.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from marquee.core.errors import Refused
from marquee.payments import connected_accounts, intents, leaving, stripe_client
from marquee.payments.inbox import Claimed

if TYPE_CHECKING:
    from stripe import StripeClient

Client = Callable[[], "StripeClient"]
Now = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Handled:
    """What was done about an event; ignored: nothing."""

    result: dict[str, Any]
    is_ignored: bool = False


def handle(event: Claimed, client: Client, now: Now) -> Handled:
    """Do what an event asks for. Raises StripeUnavailable, StripeRefused, and what the database refuses.

    `client` is asked for only when Stripe must be asked.
    """
    handler = HANDLERS.get(event.type)
    if handler is None:
        return _ignored("nothing is done about this type")
    return handler(event, client, now)


def _payment_intent(event: Claimed, client: Client, now: Now) -> Handled:
    return _settled(event.thing.get("id"), event, client, now)


def _of_payment(event: Claimed, client: Client, now: Now) -> Handled:
    """A charge, a refund or a dispute: it names the PaymentIntent that it belongs to."""
    intent = event.thing.get("payment_intent")
    return _settled(intent["id"] if isinstance(intent, dict) else intent, event, client, now)


def _settled(stripe_id: Any, event: Claimed, client: Client, now: Now) -> Handled:
    if not isinstance(stripe_id, str):
        return _ignored("it belongs to no PaymentIntent")
    if event.account is not None:
        return _ignored("it is of a connected account's own payments")
    try:
        return Handled(intents.settle(client(), stripe_id, now))
    except Refused as refusal:
        if refusal.code != "payment_not_found":
            raise
        return _ignored("the payment is none of ours")


def _account(event: Claimed, client: Client, now: Now) -> Handled:
    account_id = event.account or event.thing.get("id")
    if not isinstance(account_id, str):
        return _ignored("it names no account")
    known = connected_accounts.refresh(client(), account_id, now)
    return Handled({"account": account_id}) if known else _ignored("the account is none of ours")


def _transfer(event: Claimed, client: Client, _now: Now) -> Handled:
    return _of_account(lambda: leaving.transfer(client(), event.thing["id"]))


def _payout(event: Claimed, client: Client, now: Now) -> Handled:
    return _of_account(lambda: leaving.payout(client(), event.thing["id"], event.account, now))


def _of_account(apply: Callable[[], dict[str, Any]]) -> Handled:
    try:
        return Handled(apply())
    except Refused as refusal:
        if refusal.code != "account_not_found":
            raise
        return _ignored("the account is none of ours")


def _session(event: Claimed, client: Client, now: Now) -> Handled:
    """A page of Stripe's on which somebody paid, or did not: its PaymentIntent says what came of it."""
    if event.account is not None:
        return _ignored("it is of a connected account's own payments")
    with stripe_client.calling():
        session = stripe_client.plain(client().v1.checkout.sessions.retrieve(event.thing["id"]))
    intent = session.get("payment_intent")
    if intent is None:
        return _ignored("nobody began to pay")
    return _settled(intent["id"] if isinstance(intent, dict) else intent, event, client, now)


def _ignored(why: str) -> Handled:
    return Handled({"why": why}, is_ignored=True)


HANDLERS: Mapping[str, Callable[[Claimed, Client, Now], Handled]] = {
    "payment_intent.succeeded": _payment_intent,
    "payment_intent.payment_failed": _payment_intent,
    "payment_intent.canceled": _payment_intent,
    "payment_intent.processing": _payment_intent,
    # Stripe's fee is often not known before that: a charge is settled after it has succeeded.
    "charge.updated": _of_payment,
    "charge.refunded": _of_payment,
    "refund.created": _of_payment,
    "refund.updated": _of_payment,
    "refund.failed": _of_payment,
    "charge.dispute.created": _of_payment,
    "charge.dispute.closed": _of_payment,
    "account.updated": _account,
    "transfer.created": _transfer,
    "transfer.reversed": _transfer,
    "payout.paid": _payout,
    "payout.failed": _payout,
    "checkout.session.completed": _session,
    "checkout.session.expired": _session,
}
"""The types that Stripe is asked to send, and what is done about each."""
