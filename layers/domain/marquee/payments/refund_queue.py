"""Refunds on their way to Stripe: leased, sent in parallel, recorded; thousands in many small runs.

Each refund is stored before Stripe receives it, and sent with its own key, so that sending it again makes no second
one. Stripe forgets a key after a day, so a refund that may have been sent earlier is looked up first. Leases of a
stopped worker expire.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from marquee.payments import stripe_calls, stripe_snapshot, stripe_sync
from marquee.payments.stripe_sync import DueRefund

if TYPE_CHECKING:
    from stripe import StripeClient

AT_ONCE = 8
RESERVE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Sent:
    """The number of refunds that Stripe accepted, refused, or could not receive; `more`: the time ended the run."""

    taken: int = 0
    refused: int = 0
    postponed: int = 0
    more: bool = False


def send(client: Callable[[], "StripeClient"], seconds_left: Callable[[], float]) -> Sent:
    """Send the refunds that are due, batch after batch, until none remains, time is up or Stripe is unreachable.

    `client` is called only if there is something to do.
    """
    total = Sent()
    while due := stripe_sync.claim_refunds():
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            results = list(pool.map(partial(_create, client()), due))
        stripe_sync.record_refunds(results)
        postponed = sum(bool(result.get("retryable")) for result in results)
        refused = sum("error" in result for result in results) - postponed
        taken = len(results) - refused - postponed
        total = Sent(total.taken + taken, total.refused + refused, total.postponed + postponed)
        if postponed:
            return total
        if seconds_left() < RESERVE_SECONDS:
            return replace(total, more=len(due) == stripe_sync.REFUNDS_MOST)
    return total


def _create(client: "StripeClient", refund: DueRefund) -> dict[str, Any]:
    """Create one refund at Stripe. Returns its result in the form of payments.record_refunds."""
    try:
        with stripe_calls.calling():
            made = (_made_before(client, refund) if refund.look_first else None) or stripe_calls.plain(
                client.v1.refunds.create(
                    {
                        "payment_intent": refund.stripe_payment_intent_id,
                        "amount": refund.amount_cents,
                        "reason": "requested_by_customer",
                        "metadata": {"refund_id": str(refund.refund_id), "key": refund.idempotency_key},
                    },
                    {"idempotency_key": refund.idempotency_key},
                )
            )
    except stripe_calls.StripeUnavailable as error:
        return _failed(refund, error.reason, str(error), retryable=True)
    except stripe_calls.StripeRefused as error:
        return _failed(refund, error.code, error.message, retryable=False)
    return {**stripe_snapshot.refund_of(made), "refund_id": str(refund.refund_id)}


def _made_before(client: "StripeClient", refund: DueRefund) -> dict[str, Any] | None:
    """Return the refund that Stripe made of an earlier attempt, if there is one."""
    listed = client.v1.refunds.list(
        {"payment_intent": refund.stripe_payment_intent_id, "limit": stripe_snapshot.LIST_MOST}
    )
    made = (stripe_calls.plain(each) for each in listed.auto_paging_iter())
    return next((each for each in made if (each.get("metadata") or {}).get("key") == refund.idempotency_key), None)


def _failed(refund: DueRefund, code: str, message: str, *, retryable: bool) -> dict[str, Any]:
    return {
        "refund_id": str(refund.refund_id),
        "error": {"code": code, "message": message[:500]},
        "retryable": retryable,
    }
