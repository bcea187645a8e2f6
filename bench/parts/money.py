"""Money: transfers in the ledger, rows of the outbox, bookings by card and Stripe events."""

from collections.abc import Iterator

from bench import databases
from bench.figures import Row, Target
from bench.money import card_bookings, ledger, outbox, webhooks
from bench.runs import Run

TARGETS = {
    "ledger_hot": Target(at_least=1.5),
    "ledger_batch50": Target(at_least=5),
    "outbox_rows_s": Target(at_least=1),
    "paid_roundtrips": Target(at_most=1),
    "paid_commits": Target(at_most=1),
    "webhook_rps": Target(at_least=1),
    "webhook_p95_ms": Target(at_most=1),
}


def rows(run: Run) -> Iterator[Row]:
    """Measure all rows of the part, one after the other."""
    with run.server() as server:
        factory = databases.Factory(server)
        yield from ledger.rows(run, factory)
        yield from outbox.rows(run, factory)
        yield from card_bookings.rows(run, factory)
        yield from webhooks.rows(run, factory)
