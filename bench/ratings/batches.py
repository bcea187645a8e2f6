"""Batches of the rating worker: statements per batch (against 9), and item-events per second.

The floors are 15,000 item-events per second, and a worker that processes each item and event by itself.
"""

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

from bench import databases
from bench.booking import wire_tap
from bench.figures import Row, against, compared, interleaved
from bench.ratings import dataset, per_item
from bench.runs import MeasurementFailed, Run, log, step
from marquee.core import database as sessions
from marquee.rating import processing

BATCH = 500
ITEMS, MANY_ITEMS = 500, 10_000
STATEMENTS_MOST = 9
TARGET_PER_SECOND = 15_000
SIZES = (20, 500, 5000)


@dataclass(frozen=True, slots=True)
class Done:
    """The cost of processing all waiting events."""

    seconds: float
    batches: int
    statements: int


def rows(run: Run, factory: databases.Factory) -> Iterator[Row]:
    """Yield `statements_per_batch`, `events_s_500`, `per_item_pattern`, `per_item_prepared`, `events_s_10000`."""
    yield _statements(factory)
    database = dataset.create_database(factory, "batches", ITEMS)
    per_item.prepare(database)
    runs, events = run.pick(5, 3), dataset.fill_inbox(database)
    with step("warming up"):
        process_all(database)

    def batch(_number: int) -> float:
        dataset.fill_inbox(database)
        return events / process_all(database).seconds

    def requested(_number: int) -> float:
        seconds, worker = per_item.process_by_request(database)
        return worker.events / seconds

    def prepared(_number: int) -> float:
        seconds, worker = per_item.process_prepared(database)
        return worker.events / seconds

    with step(f"events_s_500, per_item_pattern: {runs} times {events:,} item-events in each of three ways"):
        rates = interleaved(runs, requested, prepared, batch)
    log("events_s_500: " + ", ".join(f"{rate:.0f} ({slow:.0f}; {best:.0f})" for slow, best, rate in rates))
    yield against("events_s_500", "item-events/s", [rate for _, _, rate in rates], TARGET_PER_SECOND)
    yield compared("per_item_pattern", "item-events/s", [(slow, rate) for slow, _, rate in rates])
    yield compared("per_item_prepared", "item-events/s", [(best, rate) for _, best, rate in rates])
    factory.drop(database)
    yield _many(factory)


def process_all(database: databases.Database, url: str | None = None) -> Done:
    """Process all waiting events in batches of 500, in this process. Raises MeasurementFailed if any remain."""
    statements, batches, began = 0, 0, 0.0
    with _connected(url or database.api):
        with sessions.single(sessions.service()) as session:
            session.value("select 1")
        began = time.perf_counter()
        while True:
            report = processing.process_batch(BATCH, record_nothing=False)
            if report.failed:
                raise MeasurementFailed(f"{report.failed} items could not be processed.")
            if not report.items:
                break
            statements, batches = statements + report.statements, batches + 1
        seconds = time.perf_counter() - began
    if dataset.inbox_size(database):
        raise MeasurementFailed("Events remain in the inbox.")
    return Done(seconds, batches, statements)


def _statements(factory: databases.Factory) -> Row:
    """Count the statements of batches of several sizes, without those that only set claims or end transactions."""
    counts = []
    for items in SIZES:
        database = dataset.create_database(factory, f"statements_{items}", items)
        dataset.fill_inbox(database)
        with step(f"statements_per_batch: {items} items"), wire_tap.listen(database.api) as tap:
            done = process_all(database, tap.url)
        sent = [each for string in tap.strings() for each in wire_tap.statements(string) if _is_query(each)]
        # One statement opens the connection before the first batch. One finds no item to lease after the last batch.
        counts.append((len(sent) - 2) / done.batches)
        factory.drop(database)
    log(
        "statements_per_batch: "
        + ", ".join(f"{count:g} of {items}" for items, count in zip(SIZES, counts, strict=True))
    )
    return against("statements_per_batch", "statements", counts, STATEMENTS_MOST)


def _is_query(text: str) -> bool:
    """Return whether a statement reads or writes, and does not only set claims or end a transaction."""
    words = text.strip().lower()
    return bool(words) and not words.startswith(("begin", "commit", "rollback", "set ", "select ops.act_as"))


def _many(factory: databases.Factory) -> Row:
    database = dataset.create_database(factory, "many", MANY_ITEMS)
    events = dataset.fill_inbox(database)
    runs = 3
    with step(f"events_s_10000: {runs} times {events:,} item-events"):
        rates = []
        for number in range(runs):
            if number:
                dataset.fill_inbox(database)
            rates.append(events / process_all(database).seconds)
    log("events_s_10000: " + ", ".join(f"{rate:.0f}" for rate in rates) + " a second")
    factory.drop(database)
    return against("events_s_10000", "item-events/s", rates, TARGET_PER_SECOND)


@contextlib.contextmanager
def _connected(url: str) -> Iterator[None]:
    os.environ["DATABASE_URL"] = url
    try:
        yield
    finally:
        sessions.disconnect()
        del os.environ["DATABASE_URL"]
