"""PaymentIntents: one at Stripe for each intent of ours, created, cancelled or looked at, whenever and however often.

The intent is a row before Stripe is asked, and what Stripe said is written down after; no transaction is open while
Stripe is asked. Whatever dies in between is found by the sweep, which asks again with the same key.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from marquee.core.errors import Refused
from marquee.payments import facts, ledger_calls, stripe_client
from marquee.payments.ledger_calls import DueIntent

if TYPE_CHECKING:
    from stripe import StripeClient
    from stripe.params import PaymentIntentCreateParams

Now = Callable[[], datetime]

# Stripe's word for the state in which a PaymentIntent can no longer be cancelled: it has succeeded, or is cancelled.
UNEXPECTED_STATE = "payment_intent_unexpected_state"
FETCHES_MAX = 5


class Overtaken(Exception):
    """Others kept bringing newer facts of this payment; it comes again."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did, and how many it could not do; `more` says that there may be others."""

    done: int = 0
    refused: int = 0
    more: bool = False


def create(
    client: "StripeClient",
    *,
    intent_id: Any,
    amount_cents: int,
    currency: str,
    method: str,
    bought: Mapping[str, Any],
    idempotency_key: str,
) -> dict[str, Any]:
    """Make the PaymentIntent at Stripe and write it down; answers {"stripe_id", "client_secret", "status"}.

    `bought` is {"booking_id": …} or {"purchase_id": …}. The same intent makes the same PaymentIntent, whoever asks: a
    key takes the very same words only, so that there is one place that finds them.
    Raises StripeUnavailable, StripeRefused.
    """
    params: PaymentIntentCreateParams = {
        "amount": amount_cents,
        "currency": currency.lower(),
        # Stripe leaves out without a word what the currency or the account does not allow.
        "allowed_payment_method_types": [method],
        "metadata": {"intent_id": str(intent_id), **{name: str(value) for name, value in bought.items()}},
        "transfer_group": str(intent_id),
    }
    with stripe_client.calling():
        made = client.v1.payment_intents.create(params, {"idempotency_key": idempotency_key})
    # What a repeated request answers is the first answer, so its status may be old: facts come from a fetch.
    ledger_calls.record_intent(intent_id, made.id, made.client_secret, made.status)
    if method not in made.payment_method_types:
        raise stripe_client.StripeRefused("method_not_offered", f"The account takes no {method} in {currency}.")
    return {"stripe_id": made.id, "client_secret": made.client_secret, "status": made.status}


def settle(client: "StripeClient", stripe_id: str, now: Now) -> dict[str, Any]:
    """Bring what is the case with a PaymentIntent into the books; answers what was done.

    Two may fetch at once, and the one that asked first may have got the later answer. What the books leave aside as
    older than what they have is therefore fetched again, so that nothing that was seen is lost.
    """
    for _attempt in range(FETCHES_MAX):
        done = ledger_calls.apply_payment(facts.fetch(client, stripe_id, now))
        if not done.get("stale"):
            return done
    raise Overtaken(f"{stripe_id} was overtaken by others {FETCHES_MAX} times.")


def sweep(client: Callable[[], "StripeClient"], now: Now, tell: Callable[[DueIntent, Exception], None]) -> Swept:
    """Do what is due for some intents; `tell` hears of those that Stripe or the books refuse. Raises StripeUnavailable.

    The client is asked for only when there is something to do.
    """
    due = ledger_calls.claim_intents()
    refused = 0
    for intent in due:
        try:
            _attend(client(), intent, now)
        except stripe_client.StripeRefused as refusal:
            refused += 1
            ledger_calls.refuse_intent(intent.intent_id, refusal.code, refusal.message)
            tell(intent, refusal)
        # One that the books will not take is for a person; the others, and the refunds after them, do not wait for it.
        except (Refused, Overtaken) as refusal:
            refused += 1
            tell(intent, refusal)
    return Swept(len(due) - refused, refused, more=len(due) == ledger_calls.INTENTS_MOST)


def _attend(client: "StripeClient", intent: DueIntent, now: Now) -> None:
    stripe_id = intent.stripe_payment_intent_id
    if stripe_id is None:
        # Even what is to be cancelled: its request may have reached Stripe, and only its key leads there.
        stripe_id = create(
            client,
            intent_id=intent.intent_id,
            amount_cents=intent.amount_cents,
            currency=intent.currency,
            method=intent.method,
            bought={name: intent.metadata[name] for name in ("booking_id", "purchase_id") if intent.metadata.get(name)},
            idempotency_key=intent.idempotency_key,
        )["stripe_id"]
    if intent.action == "cancel":
        _cancel(client, stripe_id, intent.idempotency_key)
    if intent.action != "create":
        settle(client, stripe_id, now)


def _cancel(client: "StripeClient", stripe_id: str, idempotency_key: str) -> None:
    """Cancel it, unless it is too late for that; what came of it is fetched either way."""
    try:
        with stripe_client.calling():
            client.v1.payment_intents.cancel(
                stripe_id, {"cancellation_reason": "abandoned"}, {"idempotency_key": f"{idempotency_key}-cancel"}
            )
    except stripe_client.StripeRefused as refusal:
        if refusal.code != UNEXPECTED_STATE:
            raise
