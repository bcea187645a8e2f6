"""The handler of each type of Stripe event.

An event only names a thing, which is fetched again. So events may come twice, late, out of order or not at all. An
event of a type without a handler is recorded as ignored, with the reason.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from marquee.core.errors import Refused
from marquee.payments import connected_accounts, intents, payouts, stripe_calls
from marquee.payments.inbox import Claimed

if TYPE_CHECKING:
    from stripe import StripeClient

Client = Callable[[], "StripeClient"]
Now = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Handled:
    """The result of handling an event; ignored means that nothing was done."""

    result: dict[str, Any]
    is_ignored: bool = False


def handle(event: Claimed, client: Client, now: Now) -> Handled:
    """Handle an event. Raises StripeUnavailable, StripeRefused, and refusals of the database.

    `client` is called only if Stripe is needed.
    """
    handler = HANDLERS.get(event.type)
    if handler is None:
        return _ignored("events of this type are not handled")
    return handler(event, client, now)


def _payment_intent(event: Claimed, client: Client, now: Now) -> Handled:
    return _settled(event.thing.get("id"), event, client, now)


def _of_payment(event: Claimed, client: Client, now: Now) -> Handled:
    """Settle the PaymentIntent of a charge, a refund or a dispute."""
    intent = event.thing.get("payment_intent")
    return _settled(intent["id"] if isinstance(intent, dict) else intent, event, client, now)


def _settled(stripe_id: Any, event: Claimed, client: Client, now: Now) -> Handled:
    if not isinstance(stripe_id, str):
        return _ignored("it has no PaymentIntent")
    if event.account is not None:
        return _ignored("it is about a connected account's own payment")
    try:
        return Handled(intents.settle(client(), stripe_id, now))
    except Refused as refusal:
        if refusal.code != "payment_not_found":
            raise
        return _ignored("no payment here has this PaymentIntent")


def _account(event: Claimed, client: Client, now: Now) -> Handled:
    account_id = event.account or event.thing.get("id")
    if not isinstance(account_id, str):
        return _ignored("it names no account")
    known = connected_accounts.refresh(client(), account_id, now)
    return Handled({"account": account_id}) if known else _ignored("no organization has this account")


def _transfer(event: Claimed, client: Client, _now: Now) -> Handled:
    return _of_account(lambda: payouts.transfer(client(), event.thing["id"]))


def _payout(event: Claimed, client: Client, now: Now) -> Handled:
    return _of_account(lambda: payouts.payout(client(), event.thing["id"], event.account, now))


def _of_account(apply: Callable[[], dict[str, Any]]) -> Handled:
    try:
        return Handled(apply())
    except Refused as refusal:
        if refusal.code != "account_not_found":
            raise
        return _ignored("no organization has this account")


def _session(event: Claimed, client: Client, now: Now) -> Handled:
    """Settle the PaymentIntent of a Checkout page, whether the customer paid or not."""
    if event.account is not None:
        return _ignored("it is about a connected account's own payment")
    with stripe_calls.calling():
        session = stripe_calls.plain(client().v1.checkout.sessions.retrieve(event.thing["id"]))
    intent = session.get("payment_intent")
    if intent is None:
        return _ignored("no payment was started")
    return _settled(intent["id"] if isinstance(intent, dict) else intent, event, client, now)


def _ignored(why: str) -> Handled:
    return Handled({"why": why}, is_ignored=True)


HANDLERS: Mapping[str, Callable[[Claimed, Client, Now], Handled]] = {
    "payment_intent.succeeded": _payment_intent,
    "payment_intent.payment_failed": _payment_intent,
    "payment_intent.canceled": _payment_intent,
    "payment_intent.processing": _payment_intent,
    # Stripe's fee is often not known earlier: a charge is settled after it has succeeded.
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
"""The types of event that Stripe is asked to send, and their handlers."""
