"""PaymentIntents: one at Stripe for each of our intents, created, cancelled or fetched any number of times.

The intent is stored before the call to Stripe, and Stripe's response after it; no transaction is open during the call.
The sweep finds intents of a stopped worker, and repeats the call with the same key.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from marquee.core.errors import Refused
from marquee.payments import stripe_calls, stripe_snapshot, stripe_sync
from marquee.payments.stripe_sync import DueIntent

if TYPE_CHECKING:
    from stripe import StripeClient
    from stripe.params import PaymentIntentCreateParams

Now = Callable[[], datetime]

# Stripe's code for a PaymentIntent that can no longer be cancelled: it has succeeded, or is already cancelled.
UNEXPECTED_STATE = "payment_intent_unexpected_state"
FETCHES_MAX = 5


class Overtaken(Exception):
    """Other workers kept storing newer facts of this payment; it is retried."""


@dataclass(frozen=True, slots=True)
class Swept:
    """The number of intents that a sweep processed and that were refused; `more` means that there may be others."""

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
    """Create the PaymentIntent at Stripe and record it. Returns {"stripe_id", "client_secret", "status"}.

    `bought` is {"booking_id": …} or {"purchase_id": …}. The same intent always makes the same PaymentIntent. Stripe
    accepts a key only with identical parameters, so this is the only place that builds them. Raises StripeUnavailable,
    StripeRefused.
    """
    params: PaymentIntentCreateParams = {
        "amount": amount_cents,
        "currency": currency.lower(),
        # Stripe silently omits methods that the currency or the account does not allow.
        "allowed_payment_method_types": [method],
        "metadata": {"intent_id": str(intent_id), **{name: str(value) for name, value in bought.items()}},
        "transfer_group": str(intent_id),
    }
    with stripe_calls.calling():
        made = client.v1.payment_intents.create(params, {"idempotency_key": idempotency_key})
    if method not in made.payment_method_types:
        cancel(client, made.id, idempotency_key)
        raise _not_offered(method, currency)
    # A repeated request returns the first response, whose status may be old; facts come from a fetch.
    stripe_sync.record_intent(intent_id, made.id, made.client_secret, made.status)
    return {"stripe_id": made.id, "client_secret": made.client_secret, "status": made.status}


def change_method(client: "StripeClient", stripe_id: str, method: str, currency: str) -> None:
    """Let an unpaid PaymentIntent be paid by another method. Raises StripeUnavailable, StripeRefused."""
    with stripe_calls.calling():
        changed = client.v1.payment_intents.update(stripe_id, {"allowed_payment_method_types": [method]})
    if method not in changed.payment_method_types:
        raise _not_offered(method, currency)


def _not_offered(method: str, currency: str) -> stripe_calls.StripeRefused:
    return stripe_calls.StripeRefused("method_not_offered", f"The account takes no {method} in {currency}.")


def settle(client: "StripeClient", stripe_id: str, now: Now) -> dict[str, Any]:
    """Bring the current state of a PaymentIntent into the ledger. Returns the changes.

    Two workers may fetch at once, and the one that asked first may have got the later response. Facts that the ledger
    skips as older than its own are therefore fetched again, so that nothing is lost.
    """
    for _attempt in range(FETCHES_MAX):
        done = stripe_sync.apply_payment(stripe_snapshot.fetch(client, stripe_id, now))
        if not done.get("stale"):
            return done
    raise Overtaken(f"{stripe_id} was overtaken by others {FETCHES_MAX} times.")


def sweep(client: Callable[[], "StripeClient"], now: Now, tell: Callable[[DueIntent, Exception], None]) -> Swept:
    """Create, cancel or fetch a batch of due PaymentIntents at Stripe. Raises StripeUnavailable.

    `tell` is called with each intent that Stripe or the ledger refuses, `client` only if an intent is due.
    """
    due = stripe_sync.claim_intents()
    refused = 0
    for intent in due:
        try:
            _attend(client(), intent, now)
        except stripe_calls.StripeRefused as refusal:
            refused += 1
            stripe_sync.refuse_intent(intent.intent_id, refusal.code, refusal.message)
            tell(intent, refusal)
        # An intent that the ledger refuses is for a person; the other intents, and then the refunds, do not wait for
        # it.
        except (Refused, Overtaken) as refusal:
            refused += 1
            tell(intent, refusal)
    return Swept(len(due) - refused, refused, more=len(due) == stripe_sync.INTENTS_MOST)


def _attend(client: "StripeClient", intent: DueIntent, now: Now) -> None:
    stripe_id = intent.stripe_payment_intent_id
    if stripe_id is None:
        # Also for an intent to be cancelled: its request may have reached Stripe, and only its key leads there.
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
        cancel(client, stripe_id, intent.idempotency_key)
    if intent.action != "create":
        settle(client, stripe_id, now)


def cancel(client: "StripeClient", stripe_id: str, idempotency_key: str) -> None:
    """Cancel a PaymentIntent unless it is too late. Raises StripeUnavailable, StripeRefused."""
    try:
        with stripe_calls.calling():
            client.v1.payment_intents.cancel(
                stripe_id, {"cancellation_reason": "abandoned"}, {"idempotency_key": f"{idempotency_key}-cancel"}
            )
    except stripe_calls.StripeRefused as refusal:
        if refusal.code != UNEXPECTED_STATE:
            raise
