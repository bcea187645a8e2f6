"""Batches of the worker: how many statements each takes, how many item-events a second, beside the pattern per item."""

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

from bench import stage
from bench.booking import statement
from bench.measurements import Row, against, compared, interleaved
from bench.ratings import datasets, per_item
from bench.runs import Broken, Run, say, step
from marquee.core import database as sessions
from marquee.rating import processing

BATCH = 500
ITEMS, MANY_ITEMS = 500, 10_000
STATEMENTS_MOST = 9
TARGET_PER_SECOND = 15_000
SIZES = (20, 500, 5000)


@dataclass(frozen=True, slots=True)
class Done:
    """What it took to count all that was waiting."""

    seconds: float
    batches: int
    statements: int


def rows(run: Run, made: stage.Stage) -> Iterator[Row]:
    """statements_per_batch, events_s_500, per_item_pattern, per_item_prepared, events_s_10000."""
    yield _statements(made)
    database = datasets.database(made, "batches", ITEMS)
    per_item.prepare(database)
    runs, events = run.pick(5, 3), datasets.waiting(database)
    with step("warming up"):
        counted(database)

    def batch(_number: int) -> float:
        datasets.waiting(database)
        return events / counted(database).seconds

    def requested(_number: int) -> float:
        seconds, worker = per_item.requested(database)
        return worker.events / seconds

    def prepared(_number: int) -> float:
        seconds, worker = per_item.prepared(database)
        return worker.events / seconds

    with step(f"events_s_500, per_item_pattern: {runs} times {events:,} item-events in each of three ways"):
        rates = interleaved(runs, requested, prepared, batch)
    say("events_s_500: " + ", ".join(f"{rate:.0f} ({slow:.0f}; {best:.0f})" for slow, best, rate in rates))
    yield against("events_s_500", "item-events/s", [rate for _, _, rate in rates], TARGET_PER_SECOND)
    yield compared("per_item_pattern", "item-events/s", [(slow, rate) for slow, _, rate in rates])
    yield compared("per_item_prepared", "item-events/s", [(best, rate) for _, best, rate in rates])
    made.drop(database)
    yield _many(made)


def counted(database: stage.Database, url: str | None = None) -> Done:
    """Have the worker count all that is waiting, in batches of 500, in this process. Raises Broken if any is left."""
    statements, batches, began = 0, 0, 0.0
    with _connected(url or database.api):
        with sessions.single(sessions.service()) as session:
            session.value("select 1")
        began = time.perf_counter()
        while True:
            report = processing.process_batch(BATCH, record_nothing=False)
            if report.failed:
                raise Broken(f"{report.failed} items could not be counted.")
            if not report.items:
                break
            statements, batches = statements + report.statements, batches + 1
        seconds = time.perf_counter() - began
    if datasets.left(database):
        raise Broken("Events are left in the inbox.")
    return Done(seconds, batches, statements)


def _statements(made: stage.Stage) -> Row:
    """Counted on the wire, less those that only set claims or end transactions, for batches of any size."""
    counts = []
    for items in SIZES:
        database = datasets.database(made, f"statements_{items}", items)
        datasets.waiting(database)
        with step(f"statements_per_batch: {items} items"), statement.tapped(database.api) as tap:
            done = counted(database, tap.url)
        sent = [each for string in tap.strings() for each in statement.statements(string) if _asks(each)]
        # Before the first batch one statement opens the connection; after the last one a claim finds nothing.
        counts.append((len(sent) - 2) / done.batches)
        made.drop(database)
    say(
        "statements_per_batch: "
        + ", ".join(f"{count:g} of {items}" for items, count in zip(SIZES, counts, strict=True))
    )
    return against("statements_per_batch", "statements", counts, STATEMENTS_MOST)


def _asks(text: str) -> bool:
    """Whether a statement asks or writes, and does not only say who asks or where a transaction ends."""
    words = text.strip().lower()
    return bool(words) and not words.startswith(("begin", "commit", "rollback", "set ", "select ops.act_as"))


def _many(made: stage.Stage) -> Row:
    database = datasets.database(made, "many", MANY_ITEMS)
    events = datasets.waiting(database)
    runs = 3
    with step(f"events_s_10000: {runs} times {events:,} item-events"):
        rates = []
        for number in range(runs):
            if number:
                datasets.waiting(database)
            rates.append(events / counted(database).seconds)
    say("events_s_10000: " + ", ".join(f"{rate:.0f}" for rate in rates) + " a second")
    made.drop(database)
    return against("events_s_10000", "item-events/s", rates, TARGET_PER_SECOND)


@contextlib.contextmanager
def _connected(url: str) -> Iterator[None]:
    os.environ["DATABASE_URL"] = url
    try:
        yield
    finally:
        sessions.disconnect()
        del os.environ["DATABASE_URL"]
