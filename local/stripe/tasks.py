"""Tasks that run when their time has come: charges settle, refunds arrive, disputes open."""

import contextlib
from collections.abc import Callable, Collection
from typing import Any

from local.stripe import charge_lifecycle, checkout, disputes, payment_intents, payouts, refunds
from local.stripe.errors import Refused
from local.stripe.payment_methods import behaviour
from local.stripe.request_context import RequestContext
from local.stripe.service import Service

AT_A_TIME = 10_000
EXPIRIES = ("expire_authorization", "expire_session")
WORKS: dict[str, Callable[[RequestContext, str], Any]] = {
    "settle_charge": charge_lifecycle.settled,
    "expire_authorization": payment_intents.expired,
    "refund_arrives": refunds.arrived,
    "refund_fails": refunds.failed,
    "dispute": lambda work, charge: disputes.opened(work, charge, _reason(work, charge)),
    "dispute_inquiry": lambda work, charge: disputes.opened(work, charge, _reason(work, charge), inquiry=True),
    "dispute_won": lambda work, dispute: disputes.decided(work, dispute, "won"),
    "dispute_lost": lambda work, dispute: disputes.decided(work, dispute, "lost"),
    "payout_arrives": payouts.arrived,
    "expire_session": checkout.expired,
}


def run_due(service: Service, until: float | None = None, *, but: Collection[str] = ()) -> int:
    """Run the tasks due by now (or `until`), each at its own time and in its own transaction. Returns their number."""
    by = service.clock.now() if until is None else until
    marks = ", ".join("?" for _ in but)
    query = f"select * from tasks where due <= ? and work not in ({marks}) order by due, place limit 1"  # noqa: S608
    done = 0
    while done < AT_A_TIME:
        task = service.store.row(query, (by, *but))
        if task is None:
            break
        work = service.work(task["account"])
        work.now = min(int(task["due"]), work.now)
        with service.store.transaction():
            service.store.run("delete from tasks where place = ?", (task["place"],))
            with contextlib.suppress(Refused):  # its object was deleted
                WORKS[task["work"]](work, task["subject"])
        done += 1
    return done


def _reason(work: RequestContext, charge: str) -> str:
    """Return the dispute reason of the card of a charge."""
    method = work.get("payment_method", work.get("charge", charge)["payment_method"])
    card = behaviour(work, method)
    return card.dispute if card is not None and card.dispute else "fraudulent"
