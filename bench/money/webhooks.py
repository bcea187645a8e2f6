"""Stripe events through the handler of functions/webhooks: per second (against 500) and in milliseconds (against 20).

Each event is verified, stored and queued before the response.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
from pydantic import SecretStr

from bench import databases
from bench.booking.booking_worker import customers_needed
from bench.figures import Row, against, percentile
from bench.money import services, webhook_worker
from bench.runs import MeasurementFailed, Run, log, step
from marquee.edge.stripe import connect
from marquee.payments import stripe_calls

PROCESSES = 2
TARGET_PER_SECOND = 500
TARGET_P95_MS = 20


def rows(run: Run, factory: databases.Factory) -> Iterator[Row]:
    """Yield `webhook_rps` and `webhook_p95_ms` of the same requests."""
    event = _event(run.folder / "stripe")
    runs, requests = run.pick(5, 3), run.pick(1000, 200)
    database = factory.create_empty("webhooks")
    rates, slow = [], []
    with services.queue() as queue, step(f"webhook_rps, webhook_p95_ms: {runs} times {PROCESSES} x {requests} events"):
        environment = {**queue.variables, "DATABASE_URL": database.api}
        for number in range(runs):
            sent = _sent(environment, event, requests, number, run.folder / f"senders-{number}")
            rates.append(PROCESSES * requests / (max(one.ended for one in sent) - min(one.began for one in sent)))
            slow.append(percentile([each for one in sent for each in one.milliseconds], 0.95))
        _check(queue, database, runs * PROCESSES * customers_needed(requests))
    log("webhooks: " + ", ".join(f"{rate:.0f}/s, {late:.1f} ms" for rate, late in zip(rates, slow, strict=True)))
    yield against("webhook_rps", "events/s", rates, TARGET_PER_SECOND)
    yield against("webhook_p95_ms", "ms", slow, TARGET_P95_MS)
    factory.drop(database)


def _sent(
    environment: dict[str, str], event: dict[str, Any], requests: int, number: int, folder: Path
) -> list[webhook_worker.Sent]:
    """Send events from several processes at the same time, and return their times."""
    folder.mkdir()

    def send(process: int) -> webhook_worker.Sent:
        first = (number * PROCESSES + process) * customers_needed(requests)
        return webhook_worker.send(
            environment, event=event, requests=requests, first=first, folder=folder, processes=PROCESSES
        )

    with ThreadPoolExecutor(PROCESSES) as pool:
        return list(pool.map(send, range(PROCESSES)))


def _event(folder: Path) -> dict[str, Any]:
    """Return the event of the stand-in for a payment that succeeded."""
    with services.stripe(folder) as url:
        client = connect(SecretStr(services.STRIPE_KEY), base=url)
        client.v1.payment_intents.create(
            {
                "amount": 4000,
                "currency": "chf",
                "allowed_payment_method_types": ["card"],
                "payment_method": "pm_card_visa",
                "confirm": True,
            }
        )
        (event,) = client.v1.events.list({"type": "payment_intent.succeeded"}).data
        return stripe_calls.plain(event)


def _check(queue: services.Queue, database: databases.Database, sent: int) -> None:
    """Check that every accepted event is in the inbox and was queued. Raises MeasurementFailed."""
    with psycopg.connect(database.owner) as connection:
        row = connection.execute("select count(*) from payments.webhook_inbox").fetchone()
    if row != (sent,) or queue.messages() != sent:
        raise MeasurementFailed(f"{sent} events were accepted, {row} are stored and {queue.messages()} were queued.")
