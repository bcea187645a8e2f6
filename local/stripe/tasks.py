"""What happens by itself when its time has come: charges settle, refunds arrive, disputes come."""

import contextlib
from collections.abc import Callable
from typing import Any

from local.stripe import charging, checkout, disputes, payment_intents, payouts, refunds
from local.stripe.errors import Refused
from local.stripe.payment_methods import behaviour
from local.stripe.service import Service
from local.stripe.work import Work

AT_A_TIME = 500
WORKS: dict[str, Callable[[Work, str], Any]] = {
    "settle_charge": charging.settled,
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


def run_due(service: Service) -> int:
    """Do what is due, each piece at its own time and in a transaction of its own; how many there were."""
    done = 0
    while done < AT_A_TIME:
        task = service.store.row(
            "select * from tasks where due <= ? order by due, place limit 1", (service.clock.now(),)
        )
        if task is None:
            break
        work = service.work(task["account"])
        work.now = int(task["due"])
        with service.store.transaction():
            service.store.run("delete from tasks where place = ?", (task["place"],))
            with contextlib.suppress(Refused):  # what it was about is gone
                WORKS[task["work"]](work, task["subject"])
        done += 1
    return done


def _reason(work: Work, charge: str) -> str:
    """Why the card that a charge was made with is disputed."""
    method = work.get("payment_method", work.get("charge", charge)["payment_method"])
    card = behaviour(work, method)
    return card.dispute if card is not None and card.dispute else "fraudulent"
