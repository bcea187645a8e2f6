"""What happens by itself when its time has come: charges settle, refunds arrive, disputes come."""

import contextlib
from collections.abc import Callable
from typing import Any

from local.stripe import charging, payment_intents, refunds
from local.stripe.errors import Refused
from local.stripe.service import Service
from local.stripe.work import Work

AT_A_TIME = 500
WORKS: dict[str, Callable[[Work, str], Any]] = {
    "settle_charge": charging.settled,
    "expire_authorization": payment_intents.expired,
    "refund_arrives": refunds.arrived,
    "refund_fails": refunds.failed,
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
