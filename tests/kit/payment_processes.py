"""Run a process that dies at a point of a payment, or that pays for many customers.

python -m tests.kit.payment_processes '{"function": "stripe-worker", "payload": {…}, "die": "before", "at": "…"}'
python -m tests.kit.payment_processes '{"event_id": …, "customers": […], "stripe": "http://…"}'
"""

import importlib
import json
import os
import signal
import sys
import time
import urllib.request
from typing import Any
from uuid import UUID

from tests.kit import gateway

SECONDS_MAX = 120


def die_at(when: str, name: str) -> None:
    """Kill this process before or after a call of a function of marquee.payments ("refund_queue.send")."""
    module_name, name = name.split(".")
    module = importlib.import_module(f"marquee.payments.{module_name}")
    real = getattr(module, name)

    def dying(*args: Any, **kwargs: Any) -> Any:
        if when == "after":
            real(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(module, name, dying)


def post_until_final(function: str, path: str, body: Any, **options: Any) -> gateway.Answer:
    """Repeat a request until it gets a final response, as clients do."""
    deadline = time.monotonic() + SECONDS_MAX
    while True:
        answer = gateway.post(function, path, body, **options)
        waits = answer.status >= 500 or (answer.body.get("payment") or {"client_secret": ""})["client_secret"] is None
        if not waits or time.monotonic() > deadline:
            return answer
        time.sleep(0.02)


def shop(event_id: str, customers: list[str], stripe: str) -> None:
    """Book, pay, and cancel every third booking."""
    for number, customer in enumerate(customers):
        request = {"event_id": event_id, "payment_method": "card"}
        made = post_until_final("book", "/bookings", request, caller=UUID(customer), key="only")
        assert made.status == 201, made
        if made.body["payment"]["client_secret"] is None:
            raise AssertionError(made)
        url = f"{stripe}/_stand_in/payment_intents/{made.body['payment']['stripe_payment_intent_id']}/pay"
        paying = urllib.request.Request(url, b"{}", {"Content-Type": "application/json"})
        urllib.request.urlopen(paying, timeout=30).close()
        if number % 3 == 2:
            cancelled = post_until_final("cancel", f"/bookings/{made.body['id']}/cancel", {}, caller=UUID(customer))
            assert cancelled.status == 200, cancelled


def main(task: dict[str, Any]) -> None:
    """Run the task."""
    if "customers" in task:
        shop(**task)
        return
    die_at(task["die"], task["at"])
    if task["function"] == "book":
        gateway.post("book", "/bookings", task["payload"], caller=UUID(task["caller"]), key="tap")
    else:
        gateway.invoke(task["function"], task["payload"])


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
