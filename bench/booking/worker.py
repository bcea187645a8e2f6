"""Books through the function's handler in this process, one booking after the other, and says how long it took.

python -m bench.booking.worker --bookings 400 --first 0 --events 200

Run by the benchmark with DATABASE_URL set. Each booking is another customer's, with another idempotency key. What the
function logs goes where nobody reads it, but is written.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import uuid
from typing import Any, TextIO

from bench import stage
from bench.running import ROOT, Broken, environment
from tests import gateway

SECONDS_MAX = 120


def booked(url: str, *, bookings: int, first: int, events: int) -> float:
    """Seconds that a process of its own took for so many bookings, after a fifth as many to warm up.

    `first`: the number of the first customer. Raises Broken when a booking is refused.
    """
    options = {"bookings": bookings, "first": first, "events": events}
    finished = subprocess.run(
        [sys.executable, "-m", __name__, *(f"--{name}={value}" for name, value in options.items())],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(DATABASE_URL=url),
        timeout=SECONDS_MAX,
    )
    if finished.returncode != 0:
        raise Broken(f"The handler did not book:\n{finished.stderr.strip()[-2000:]}")
    return float(json.loads(finished.stdout)["seconds"])


def customers_of(bookings: int) -> int:
    """How many customers so many bookings take, with those that warm up."""
    return bookings + bookings // 5


def main() -> int:
    """Book, and print the seconds as JSON."""
    parser = argparse.ArgumentParser()
    for name in ("bookings", "first", "events"):
        parser.add_argument(f"--{name}", type=int, required=True)
    given = parser.parse_args()
    result = _own_output()
    requests = [_request(given.first + number, number % given.events) for number in range(customers_of(given.bookings))]
    handler = gateway.load("book").lambda_handler
    context = gateway.Context(function_name="book")
    warm_up = given.bookings // 5
    for request in requests[:warm_up]:
        _expect(handler(request, context))
    began = time.perf_counter()
    answers = [handler(request, context) for request in requests[warm_up:]]
    seconds = time.perf_counter() - began
    for answer in answers:
        _expect(answer)
    print(json.dumps({"seconds": seconds}), file=result)
    result.close()
    return 0


def _own_output() -> TextIO:
    """Where the result goes; what the function's logger and metrics write to standard output goes to nowhere."""
    result = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    return result


def _request(customer: int, event: int) -> dict[str, Any]:
    return gateway.event(
        "POST",
        "/bookings",
        {"event_id": str(stage.event(event)), "seats": 1},
        caller=stage.customer(customer),
        key=str(uuid.uuid4()),
        address=f"198.18.{customer // 250 % 250}.{customer % 250 + 1}",
    )


def _expect(answer: dict[str, Any]) -> None:
    if answer["statusCode"] != 201:
        raise Broken(f"{answer['statusCode']}: {answer['body']}")


if __name__ == "__main__":
    raise SystemExit(main())
